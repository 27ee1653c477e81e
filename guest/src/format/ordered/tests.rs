//! Maps and sets, compared with those of the standard library.

use std::collections::{BTreeMap, BTreeSet};

use super::{Map, RUN_MAX, Set};

/// Numbers that look random, below a limit.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (self.0 >> 33) % limit
    }
}

/// Checks invariant 1, and that the entries are those of the tree.
fn assert_same(map: &Map<u64, u64>, tree: &BTreeMap<u64, u64>) {
    assert!(map.runs.iter().all(|run| (1..=RUN_MAX).contains(&run.len())));
    assert!(map.keys().is_sorted_by(|one, other| one < other));
    assert!(map.iter().eq(tree.iter()) && map.iter().rev().eq(tree.iter().rev()));
    assert!(map.values().eq(tree.values()));
    assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
}

/// Makes one change in both, and compares what it returns.
fn change(random: &mut Random, map: &mut Map<u64, u64>, tree: &mut BTreeMap<u64, u64>, key: u64) {
    let value = random.below(1_000);
    match random.below(8) {
        0 => assert_eq!(map.remove(&key), tree.remove(&key)),
        1 => assert_eq!(map.pop_first(), tree.pop_first()),
        2 => {
            let of_tree = tree.entry(key).or_insert(value);
            *of_tree += 1;
            let of_map = map.or_insert(key, value);
            *of_map += 1;
            assert_eq!(of_map, of_tree);
        }
        3 => assert_eq!(map.get_mut(&key), tree.get_mut(&key)),
        _ => assert_eq!(map.insert(key, value), tree.insert(key, value)),
    }
}

/// Checks what is found at a key and around it.
fn assert_found(map: &Map<u64, u64>, tree: &BTreeMap<u64, u64>, key: u64) {
    assert_eq!((map.get(&key), map.contains_key(&key)), (tree.get(&key), tree.contains_key(&key)));
    assert!(map.range_from(&key).eq(tree.range(key..)));
    assert!(map.range(key..=key + 300).eq(tree.range(key..=key + 300)));
    assert_eq!(map.last_before(&key), tree.range(..key).next_back());
}

#[test]
fn map_is_the_tree_of_its_changes() {
    for (keys, changes) in [(40, 4_000), (4_000, 40_000)] {
        let (mut random, mut map, mut tree) = (Random(keys), Map::default(), BTreeMap::new());
        for round in 0..changes {
            let key = random.below(keys);
            change(&mut random, &mut map, &mut tree, key);
            if round % 101 == 0 {
                assert_same(&map, &tree);
                assert_found(&map, &tree, random.below(keys));
            }
        }
        map.retain(|key, value| {
            *value += 1;
            key % 700 < 300
        });
        tree.retain(|key, value| {
            *value += 1;
            key % 700 < 300
        });
        assert_same(&map, &tree);
        assert!(map.clone().into_keys().eq(tree.clone().into_keys()));
        assert!(map.clone().into_values().eq(tree.clone().into_values()));
        assert!(map.clone().into_iter().eq(tree));
        map.clear();
        assert_same(&map, &BTreeMap::new());
    }
}

#[test]
fn map_has_full_runs_if_its_keys_come_in_order() {
    let keys = 0..u64::try_from(RUN_MAX).unwrap() * 10;
    let map: Map<u64, ()> = keys.clone().map(|key| (key, ())).collect();
    assert!(map.runs.iter().all(|run| run.len() == RUN_MAX));
    let mut backwards = Map::default();
    backwards.extend(keys.rev().map(|key| (key, ())));
    assert_ne!(map.runs, backwards.runs);
    assert_eq!(map, backwards);
}

#[test]
fn set_is_the_tree_of_its_changes() {
    let (mut random, mut set, mut tree) = (Random(3), Set::default(), BTreeSet::new());
    for _ in 0..20_000 {
        let item = random.below(3_000);
        match random.below(3) {
            0 => assert_eq!(set.remove(&item), tree.remove(&item)),
            _ => assert_eq!(set.insert(item), tree.insert(item)),
        }
        assert_eq!(set.contains(&item), tree.contains(&item));
    }
    assert!(set.range_from(&1_500).eq(tree.range(1_500..)));
    assert!(set.range(1_500..=1_600).eq(tree.range(1_500..=1_600)));
    assert_eq!((set.first(), set.last()), (tree.first(), tree.last()));
    set.retain(|item| item % 2 == 0);
    tree.retain(|item| item % 2 == 0);
    assert_eq!((set.len(), set.is_empty()), (tree.len(), tree.is_empty()));
    assert_eq!(set, tree.iter().copied().collect());
    assert!(set.into_iter().eq(tree));
}

#[test]
fn string_is_found_by_a_borrowed_one() {
    let mut map: Map<String, u64> =
        [("b".to_owned(), 2), ("a".to_owned(), 1)].into_iter().collect();
    assert_eq!((map.get("a"), map.contains_key("c")), (Some(&1), false));
    assert_eq!((map.remove("b"), map.len()), (Some(2), 1));
    *map.or_default("c".to_owned()) += 3;
    assert!(map.into_values().eq([1, 3]));
}
