//! Inputs in practice: several files, compressed ones, blank lines, and bytes that are no text.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::write::GzEncoder;
use rig::waits::until;

use crate::binary::{Ran, check, fresh, json, numbered, ok, run_with, stratalog};
use crate::commands::on_logs;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

/// `a`, a blank line and `b`, as the zstd tool compresses them, with a checksum at the end.
const ZSTD_OF_THE_TOOL: &[u8] =
    b"\x28\xb5\x2f\xfd\x04\x68\x29\x00\x00\x61\x0a\x0a\x62\x0a\x80\xf8\x40\x73";

/// A frame to skip.
const ZSTD_SKIPPED: &[u8] = b"\x53\x2a\x4d\x18\x05\x00\x00\x00notes";

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path.to_str().unwrap().to_owned()
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

#[test]
fn nothing_is_appended_before_all_inputs_are_there() {
    let (folder, log) = fresh();
    let good = write(folder.path(), "good.jsonl", "event\n");
    let missing = folder.path().join("missing.jsonl").to_str().unwrap().to_owned();
    let below_file = format!("{good}/x");
    let wide = write(folder.path(), "wide.txt", utf_16("{\"n\":1}\n"));
    let named = write(folder.path(), "plain.gz", "event\n");
    let folder_path = folder.path().to_str().unwrap();
    let table = [
        (missing.as_str(), "missing.jsonl: No such file"),
        (&below_file, "good.jsonl/x: a part of the path is not a folder"),
        (folder_path, "is not a file of lines; if it is the log, write the log first"),
        (&wide, "wide.txt: the input is UTF-16"),
        (&named, "plain.gz: the input is named as gzip data, but is not"),
    ];
    for (bad, words) in table {
        check(&["append", &log, &good, "-", bad], "event\n", 5, &[words]);
        assert!(!Path::new(&log).exists(), "{bad}: something was appended");
    }
    // Root can read any file.
    #[cfg(unix)]
    if !rustix::process::geteuid().is_root() {
        use std::os::unix::fs::PermissionsExt as _;

        let closed = write(folder.path(), "closed.jsonl", "event\n");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o0)).unwrap();
        check(&["append", &log, &good, &closed], "", 5, &["closed.jsonl: Permission denied"]);
        assert!(!Path::new(&log).exists());
    }
}

#[cfg(unix)]
#[test]
fn more_files_are_taken_than_a_process_may_open() {
    let (folder, log) = fresh();
    let files: Vec<String> = (0..600)
        .map(|n| write(folder.path(), &format!("{n:03}.jsonl"), format!("{{\"n\":{n}}}\n")))
        .collect();
    let append = stratalog(&["append", &log]);
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -n 300; exec \"$0\" \"$@\""]);
    command.arg(append.get_program()).args(append.get_args()).args(&files);
    let ran = Ran::from(command.stdin(Stdio::null()).output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ok(&["read", &log], ""), numbered(0..600));
}

#[cfg(unix)]
#[test]
fn named_pipes_are_opened_in_their_turn() {
    let (folder, log) = fresh();
    let pipes = ["first", "second"].map(|name| folder.path().join(name));
    assert!(Command::new("mkfifo").args(&pipes).status().unwrap().success());
    let child = stratalog(&["append", &log]).args(&pipes).stdin(Stdio::null()).spawn().unwrap();
    // The second pipe is opened for writing when the first is finished.
    fs::write(&pipes[0], numbered(0..1)).unwrap();
    fs::write(&pipes[1], numbered(1..2)).unwrap();
    assert_eq!(Ran::from(child.wait_with_output().unwrap()).code, 0);
    assert_eq!(ok(&["read", &log], ""), numbered(0..2));
}

#[test]
fn blank_lines_are_left_out_and_counted() {
    let (_folder, log) = fresh();
    let input = "\na\n\n \t\n\r\nb\r\n\n";
    let report = ok(&["append", "--json", &log], input);
    assert_eq!(report, "{\"events\":2,\"batches\":1,\"bytes\":5,\"blank_lines\":5}\n");
    assert_eq!(ok(&["read", &log], ""), "a\nb\r\n");
    check(&["append", &log], "a\n\n\n", 0, &["1 event in 1 batch", "; 2 blank lines left out\n"]);
    check(&["append", &log], "\n", 0, &["no events: nothing", "; 1 blank line left out\n"]);
    // Across blocks and batches.
    let (_folder, log) = fresh();
    let input = "\nxx\n".repeat(200_000);
    ok(&["append", "--flush-threshold", "70000", "--flush-interval", "0", &log], &input);
    assert_eq!(json(&["stat", "--json", &log])["batches"], 3);
    assert!(ok(&["read", &log], "") == "xx\n".repeat(200_000));
}

#[cfg(unix)]
#[test]
fn session_of_the_readme_runs_as_it_is_written() {
    let (folder, log) = fresh();
    let app = folder.path().join("app.log");
    fs::write(&app, "started\n\n").unwrap();
    let mut shell = Command::new("sh");
    let append = stratalog(&["append", &log]);
    // `tail` reports its number, so that it can be ended alone.
    shell.args(["-c", "sh -c 'echo $$ >pid; exec tail -f app.log' | \"$0\" \"$@\""]);
    shell.arg(append.get_program()).args(append.get_args()).current_dir(folder.path());
    let child = shell.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let read = || run_with(&["read", &log], b"").stdout;
    until("the first line", || read() == "started\n");
    let mut more = fs::OpenOptions::new().append(true).open(&app).unwrap();
    more.write_all(b"\n\ntimeout\n\n").unwrap();
    until("the second line", || read() == "started\ntimeout\n");
    let tail = fs::read_to_string(folder.path().join("pid")).unwrap();
    assert!(Command::new("kill").arg(tail.trim()).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("2 events in 2 batches"), "{}", ran.stderr);
    assert!(ran.stderr.contains("; 4 blank lines left out"), "{}", ran.stderr);
}

#[test]
fn compressed_inputs_are_decompressed_by_their_bytes() {
    let (folder, _) = fresh();
    let text = format!("first\n\n{}last", numbered(0..100_000));
    let events = format!("first\n{}last\n", numbered(0..100_000));
    let (half, rest) = text.as_bytes().split_at(text.len() / 3);
    let both = |pack: fn(&[u8]) -> Vec<u8>| [pack(half), pack(b""), pack(rest)].concat();
    let marked = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let inputs = [
        ("app.log.gz", gzip(text.as_bytes())),
        ("app.log.1", gzip(text.as_bytes())),
        ("joined.gz", both(gzip)),
        ("padded.gz", [&both(gzip)[..], &[0; 1024]].concat()),
        ("padded_within.gz", [&gzip(half)[..], &[0; 5], &gzip(rest)].concat()),
        ("marked.gz", gzip(&marked)),
        ("app.log.zst", zstd(text.as_bytes())),
        ("app.log.2", zstd(text.as_bytes())),
        ("joined.zst", [&both(zstd)[..], ZSTD_SKIPPED].concat()),
        ("skipped.zst", [ZSTD_SKIPPED, &zstd(text.as_bytes())[..]].concat()),
        ("padded.zst", [&both(zstd)[..], &[0; 1024]].concat()),
        ("padded_within.zst", [&zstd(half)[..], &[0; 5], &zstd(rest)].concat()),
        ("padded_skipped.zst", [&zstd(text.as_bytes())[..], &[0; 3], ZSTD_SKIPPED].concat()),
        ("other.name.zst", gzip(text.as_bytes())),
        ("marked.txt", marked.clone()),
    ];
    for (number, (name, bytes)) in inputs.into_iter().enumerate() {
        let file = write(folder.path(), name, &bytes);
        for (from, stdin) in [(file.as_str(), &b""[..]), ("-", &bytes[..])] {
            let log = folder.path().join(format!("log-{number}-{}", stdin.len()));
            let log = log.to_str().unwrap();
            let ran = run_with(&["append", "--json", log, from], stdin);
            assert_eq!(ran.code, 0, "{name} {from}: {}", ran.stderr);
            assert!(ran.stdout.contains("\"blank_lines\":1}"), "{name}: {}", ran.stdout);
            assert!(ok(&["read", log], "") == events, "{name} {from}");
        }
    }
    let (folder, log) = fresh();
    let file = write(folder.path(), "tool.zst", ZSTD_OF_THE_TOOL);
    ok(&["append", &log, &file], "");
    assert_eq!(ok(&["read", &log], ""), "a\nb\n");
    // With the option, the input stays unchanged.
    let (_folder, log) = fresh();
    ok(&["append", "--binary", &log, &file], "");
    let raw = String::from_utf8_lossy(ZSTD_OF_THE_TOOL).replace("\n\n", "\n");
    let read = stratalog(&["read", &log]).output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&read), format!("{raw}\n"));
}

#[test]
fn compressed_data_that_are_damaged_stop_behind_their_whole_lines() {
    let text = numbered(0..200_000);
    let mut broken_sum = ZSTD_OF_THE_TOOL.to_vec();
    *broken_sum.last_mut().unwrap() ^= 1;
    let mut broken_gzip_sum = gzip(b"a\nb\n");
    let sum_at = broken_gzip_sum.len() - 8;
    broken_gzip_sum[sum_at] ^= 1;
    let (gzipped, zipped) = (gzip(text.as_bytes()), zstd(text.as_bytes()));
    let mut broken_within = gzipped.clone();
    let middle = broken_within.len() / 2;
    broken_within[middle..middle + 64].fill(0xff);
    let table: Vec<(&str, Vec<u8>, &str)> = vec![
        ("cut.gz", gzipped[..gzipped.len() / 2].to_vec(), "gzip data are cut off at byte "),
        ("almost.gz", gzipped[..gzipped.len() - 1].to_vec(), "gzip data are cut off at byte "),
        ("head.gz", gzipped[..5].to_vec(), "gzip data are cut off at byte "),
        ("within.gz", broken_within, "gzip data are damaged before byte "),
        ("sum.gz", broken_gzip_sum, "gzip data are damaged before byte "),
        (
            "behind.gz",
            [&gzip(b"a\nb\n")[..], b"more than a head"].concat(),
            "gzip data are damaged before byte 24: bytes that are not gzip data follow",
        ),
        (
            "little.gz",
            [&gzip(b"a\nb\n")[..], b"\0more"].concat(),
            "gzip data are damaged before byte 25: bytes that are not gzip data follow",
        ),
        ("cut.zst", zipped[..zipped.len() / 2].to_vec(), "zstd data are cut off at byte "),
        ("head.zst", zipped[..5].to_vec(), "zstd data are cut off at byte "),
        ("skipped.zst", ZSTD_SKIPPED[..10].to_vec(), "zstd data are cut off at byte "),
        ("sum.zst", broken_sum, "zstd data are damaged before byte 18: the checksum"),
        (
            "behind.zst",
            [ZSTD_OF_THE_TOOL, b"more than a head"].concat(),
            "zstd data are damaged before byte 18: bytes that are not zstd data follow",
        ),
        (
            "little.zst",
            [ZSTD_OF_THE_TOOL, b"\0more"].concat(),
            "zstd data are damaged before byte 19: bytes that are not zstd data follow",
        ),
        (
            "magic.zst",
            [ZSTD_OF_THE_TOOL, b"(like a head)"].concat(),
            "zstd data are damaged before byte 22: bytes that are not zstd data follow",
        ),
    ];
    for (name, bytes, words) in table {
        let (folder, log) = fresh();
        let file = write(folder.path(), name, &bytes);
        let ran = run_with(&["append", &log, &file], b"");
        assert_eq!(ran.code, 5, "{name}: {}", ran.stderr);
        let said = format!("error: cannot read {file}: its {words}");
        assert!(ran.stderr.contains(&said), "{name}: {}", ran.stderr);
        let read = if Path::new(&log).exists() { ok(&["read", &log], "") } else { String::new() };
        let expected = if text.starts_with(&read) { text.as_str() } else { "a\nb\n" };
        assert!(expected.starts_with(&read), "{name}");
        let lines = read.lines().count();
        assert_eq!(ran.stderr.contains(" appended\n"), lines > 0, "{name}: {}", ran.stderr);
        let cut = ["cut.gz", "almost.gz", "within.gz"].contains(&name);
        assert!(!cut || lines > 10_000, "{name}: {lines}");
    }
}

#[test]
fn input_that_is_no_text_is_refused_before_any_event() {
    let (folder, log) = fresh();
    let text = "{\"n\":1}\n{\"n\":2}\n";
    let marked = [b"\xff\xfe".to_vec(), utf_16(text)].concat();
    let bzip2 = b"BZh91AY&SY\x93".to_vec();
    let table: [(&str, Vec<u8>, &str); 9] = [
        (
            "marked.txt",
            marked.clone(),
            "the input is UTF-16 or UTF-32 text; convert it, as in `iconv",
        ),
        ("wide.txt", utf_16(text), "the input is UTF-16 or UTF-32 text"),
        ("image.bin", b"a\nb\0c\n".to_vec(), "the input is binary, its byte 4 is NUL"),
        ("app.bz2", bzip2, "compressed with bzip2; decompress it, as in `bzcat"),
        ("app.xz", b"\xfd7zXZ\0\0".to_vec(), "compressed with xz; decompress it, as in `xzcat"),
        ("app.zip", b"PK\x03\x04\x14".to_vec(), "compressed with zip"),
        ("wide.gz", gzip(&utf_16(text)), "the input is UTF-16 or UTF-32 text"),
        ("binary.zst", zstd(b"a\nb\0c\n"), "the input is binary, its byte 4 is NUL"),
        ("twice.gz", gzip(&gzip(b"a\n")), "the input is compressed twice"),
    ];
    for (name, bytes, words) in table {
        let file = write(folder.path(), name, &bytes);
        for (from, shown) in [(file.as_str(), file.as_str()), ("-", "<stdin>")] {
            for option in ["--json", "--skip-invalid"] {
                let ran = run_with(&["append", option, &log, from], &bytes);
                assert_eq!(ran.code, 5, "{name}: {}", ran.stderr);
                let said = format!("error: cannot append {shown}: ");
                assert!(ran.stderr.contains(&said), "{name}: {}", ran.stderr);
                assert!(ran.stderr.contains(words), "{name}: {}", ran.stderr);
                assert!(!ran.stderr.contains("`bzcat <stdin>"), "{}", ran.stderr);
            }
        }
        assert!(!Path::new(&log).exists(), "{name}: something was taken");
    }
    let file = write(folder.path(), "image.bin", b"a\nb\0c\n\n");
    ok(&["append", "--binary", &log, &file], "");
    assert_eq!(ok(&["read", &log], ""), "a\nb\0c\n");
}

#[test]
fn nul_byte_further_on_stops_at_its_line() {
    let (folder, log) = fresh();
    let text = numbered(0..50_000);
    let bytes = format!("{text}x\0y\n\nlast\n");
    let file = write(folder.path(), "app.log", &bytes);
    let words = format!(
        "error: cannot append {file}:50001: the line has a NUL byte; --skip-invalid leaves"
    );
    check(&["append", &log, &file], "", 5, &["50,000 events in", &words]);
    assert!(ok(&["read", &log], "") == text);
    let report = json(&["append", "--json", "--skip-invalid", &log, &file]);
    assert_eq!((&report["skipped"], &report["blank_lines"]), (&1.into(), &1.into()));
    assert!(ok(&["read", &log], "") == format!("{text}{text}last\n"));
}

#[test]
fn arguments_in_the_wrong_order_are_refused_with_the_right_command() {
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let file = write(folder.path(), "app 1.jsonl", "b\n");
    let new = folder.path().join("new.jsonl").to_str().unwrap().to_owned();
    let url = "s3://bucket/log";
    let right = format!("`stratalog append {log} '{file}'`");
    let right_url = format!("`stratalog append {url} '{file}'`");
    let right_new = format!("`stratalog append {log} {new}`");
    let file_url = format!("file://{}", file.replace(' ', "%20"));
    let table: [(&[&str], &[&str]); 6] = [
        (&[&file, &log], &["app 1.jsonl is a file; write the log first", &right]),
        (&[&file, url], &["app 1.jsonl is a file; write the log first", &right_url]),
        (
            &[&new, &log],
            &["/log is not a file of lines; if it is the log, write the log first", &right_new],
        ),
        (&[&file], &["app 1.jsonl is a file, and a log is a folder"]),
        (&[&file, &file], &["app 1.jsonl is a file, and a log is a folder"]),
        (&[&file_url], &["app%201.jsonl is a file, and a log is a folder"]),
    ];
    for (arguments, words) in table {
        let words = [&["error: cannot append: "], words].concat();
        check(&[&["append"], arguments].concat(), "c\n", 5, &words);
    }
    assert_eq!(ok(&["read", &log], ""), "a\n");
    assert_eq!(fs::read_to_string(&file).unwrap(), "b\n");
    assert!(!Path::new(&new).exists());
}

#[test]
fn urls_with_too_few_slashes_are_refused_by_every_command() {
    let (folder, _) = fresh();
    for (text, url) in [
        ("s3:/bucket/log", "s3://bucket/log"),
        ("s3:bucket/log", "s3://bucket/log"),
        ("gs:/bucket/log", "gs://bucket/log"),
        ("az:/bucket/log", "az://bucket/log"),
        ("https:/host/log", "https://host/log"),
        ("file:/var/log", "file:///var/log"),
    ] {
        let granted = format!("errors={text}");
        let plugin = write(folder.path(), "plugin.wasm", "");
        let mut commands = on_logs();
        commands.iter_mut().for_each(|command| command.push(text.to_owned()));
        commands.push(["run", &plugin, "--log", &granted].map(str::to_owned).into());
        for command in commands {
            let mut command = stratalog(&command);
            let ran = Ran::from(command.current_dir(folder.path()).output().unwrap());
            // Behind `--log` it is the value of an option.
            let code = if ran.stderr.contains("--log") { 2 } else { 5 };
            assert_eq!(ran.code, code, "{}", ran.stderr);
            let said = format!("{text:?} is not a URL");
            assert!(ran.stderr.contains(&said), "{}", ran.stderr);
            assert!(ran.stderr.contains(&format!("write {url}, ")), "{}", ran.stderr);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "something was made");
    }
}

#[test]
fn sizes_are_taken_as_people_write_them() {
    let (_folder, log) = fresh();
    for size in ["4M", "4MiB", "4 MiB", "\"4M\"", "'4 MiB'", "4MB", "0.5M", "64k", "4000000"] {
        ok(&["append", "--flush-bytes", size, "--memory-max", "0.25 GiB", &log], "a\n");
    }
    for size in ["4X", "M", "4MM", "1e6", "4,000"] {
        let words = ["--flush-bytes", "K, M, G or T", "as in 64KiB"];
        check(&["append", "--flush-bytes", size, &log], "", 2, &words);
    }
}
