//! Files that are mapped: the code is not copied, and is that of the open file.

use std::fs::File;

use super::*;

/// Returns true if the file is mapped into this process, under this name or removed from it.
fn is_mapped(file: &Path) -> bool {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    maps.contains(file.to_str().unwrap())
}

#[test]
fn module_is_mapped_from_its_file_and_not_copied() {
    let cache = Cache::filled();
    let file = cache.file();
    assert!(!is_mapped(&file));
    let compiled = cache.take();
    assert!(is_mapped(&file), "{} is not mapped", file.display());
    cache.check_runs(&compiled);
    drop(compiled);
    assert!(!is_mapped(&file));
    let message = cache.compile().concat();
    assert!(message.ends_with(" (mapped)"), "{message}");
}

#[test]
fn code_stands_in_its_file_as_wasmtime_serializes_it() {
    let cache = Cache::filled();
    let code = cache.code();
    let content = fs::read(cache.file()).unwrap();
    assert_eq!(content.len(), code.len() + TAIL_BYTES);
    assert!(content.starts_with(&code));
}

#[test]
fn mapped_module_runs_on_after_its_file_is_replaced_or_removed() {
    let cache = Cache::filled();
    let file = cache.file();
    let first = cache.take();
    let bytes = fs::read(&file).unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, &bytes[..bytes.len() / 2]).unwrap();
    cache.check_is_refused("it is compiled again", &file, "is damaged: ");
    let second = cache.take();
    fs::remove_dir_all(&cache.root).unwrap();
    cache.check_runs(&first);
    cache.check_runs(&second);
}

#[test]
fn open_file_is_mapped_whatever_its_name_leads_to() {
    let cache = Cache::filled();
    let file = cache.file();
    let key = Key::of(&cache.engine, &uncompiled(&cache.component));
    let folder = Folder::open(&cache.root).unwrap();
    let mut found = folder.find(&key).unwrap().unwrap();
    fs::remove_file(&file).unwrap();
    fs::write(&file, "planted after the check").unwrap();
    let compiled = map(&cache.engine, &mut found, &key).unwrap().unwrap();
    cache.check_runs(&compiled);
}

#[test]
fn file_that_is_cut_after_it_was_opened_is_damaged() {
    let cache = Cache::filled();
    let key = Key::of(&cache.engine, &uncompiled(&cache.component));
    let mut found = Folder::open(&cache.root).unwrap().find(&key).unwrap().unwrap();
    File::options().write(true).open(cache.file()).unwrap().set_len(100).unwrap();
    let damage = map(&cache.engine, &mut found, &key).err().unwrap().to_string();
    assert!(damage.ends_with("is damaged: the file was cut while it was read"), "{damage}");
}
