//! Processes that are killed at any moment, while files grow and are rotated.
//!
//! `STRATALOG_KILLS` is the number of kills; `STRATALOG_SEED` repeats one order of steps.

use std::fs::{self, File};
use std::path::Path;
use std::process::Child;
use std::thread::sleep;
use std::time::Duration;

use rig::waits::until;

use super::Place;
use crate::binary::{end_of, numbered, ok, signal};

/// A source of numbers that a seed repeats.
struct Random(u64);

impl Random {
    fn below(&mut self, most: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }

    fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        let most = u64::try_from(of.len()).unwrap();
        of[usize::try_from(self.below(most)).unwrap()]
    }
}

struct World {
    place: Place,
    random: Random,
    written: usize,
    rotations: usize,
}

impl World {
    fn write(&mut self) {
        let lines = self.random.one_of(&[1, 1, 2, 5, 50, 400]);
        self.place.add(&numbered(self.written..self.written + lines));
        self.written += lines;
    }

    fn rotate(&mut self) {
        let name = |number: usize| self.place.at(&format!("app.log.{number}"));
        let mut last = 1;
        while name(last).exists() {
            last += 1;
        }
        for number in (1..last).rev() {
            fs::rename(name(number), name(number + 1)).unwrap();
        }
        if !self.place.source.exists() {
            return;
        }
        self.rotations += 1;
        match self.random.below(3) {
            0 => fs::rename(&self.place.source, name(1)).unwrap(),
            1 => {
                fs::rename(&self.place.source, name(1)).unwrap();
                File::create(&self.place.source).unwrap();
            }
            _ => {
                fs::copy(&self.place.source, name(1)).unwrap();
                File::options().write(true).open(&self.place.source).unwrap().set_len(0).unwrap();
            }
        }
    }

    fn start(&mut self) -> Child {
        let bytes = self.random.one_of(&["300", "4KiB", "4MiB"]);
        let interval = self.random.one_of(&["1ms", "20ms", "300ms"]);
        self.place.follow(&["--flush-bytes", bytes, "--flush-interval", interval])
    }
}

#[test]
fn each_line_is_appended_once_through_kills_and_rotations() {
    let number = |name: &str, default: u64| {
        std::env::var(name).map_or(default, |value| value.parse().unwrap())
    };
    let (kills, seed) = (number("STRATALOG_KILLS", 25), number("STRATALOG_SEED", 1));
    let (place, random) = (Place::new(), Random(seed));
    let mut world = World { place, random, written: 0, rotations: 0 };
    File::create(&world.place.source).unwrap();
    let mut following = world.start();
    until("the first run to know its file", || Path::new(&world.place.state).exists());
    let mut killed = 0;
    while killed < kills {
        match world.random.below(20) {
            0..10 => world.write(),
            10..12 => world.rotate(),
            12..15 => {
                signal(&following, "KILL");
                end_of(&mut following);
                killed += 1;
                for _ in 0..world.random.below(6) {
                    if world.random.below(2) == 0 { world.write() } else { world.rotate() }
                }
                if world.random.below(10) == 0 && Path::new(&world.place.log).exists() {
                    ok(&["compact", "-q", "--full", &world.place.log], "");
                }
                following = world.start();
            }
            // Only for another course of things: nothing depends on it.
            _ => sleep(Duration::from_millis(world.random.one_of(&[1, 10, 80]))),
        }
    }
    let all = numbered(0..world.written);
    eprintln!("{} lines, {} rotations, {kills} kills, seed {seed}", world.written, world.rotations);
    world.place.until_read(&all);
    signal(&following, "TERM");
    end_of(&mut following);
    let ran = world.place.append(&[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(world.place.read() == all, "STRATALOG_SEED={seed}: an event is missing or twice");
    ok(&["verify", &world.place.log], "");
}
