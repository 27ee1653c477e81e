use super::*;

#[test]
fn memory_given_back_is_free_again_and_refused_memory_is_not_taken() {
    let memory = Memory::new(10);
    memory.take(4).unwrap();
    let mut borrowed = memory.borrow(6).unwrap();
    assert!(memory.take(1).is_err());
    assert!(memory.borrow(1).is_err());
    borrowed.resize(5).unwrap();
    memory.take(1).unwrap();
    assert!(borrowed.resize(6).is_err());
    drop(borrowed);
    drop(memory.borrow(5).unwrap());
    assert_eq!(memory.bytes_peak(), 10);
    let error = memory.take(6).unwrap_err().to_string();
    assert!(error.contains("memory_bytes_max = 10 bytes; raise it with --memory-max"), "{error}");
}

#[test]
fn memory_of_an_instance_counts_for_its_plugin_and_ends_with_it() {
    let plugin = Memory::of_plugin(100);
    plugin.take(10).unwrap();
    let instance = Memory::new(80);
    // It was ready before it was taken for the plugin.
    instance.take(20).unwrap();
    instance.charge(&plugin).unwrap();
    assert_eq!(plugin.bytes(), 30);
    let held = instance.borrow(50).unwrap();
    assert_eq!((instance.bytes(), plugin.bytes()), (70, 80));
    let error = instance.take(11).unwrap_err();
    assert!(!error.is_of_plugin(), "{error}");
    let other = Memory::new(80);
    other.charge(&plugin).unwrap();
    let error = other.take(21).unwrap_err();
    let expected = "memory_bytes_max = 100 bytes is reached by the plugin, its logs and its readers \
        together; raise it with --plugin-memory-max";
    assert_eq!((error.is_of_plugin(), error.to_string().as_str()), (true, expected));
    assert_eq!((other.bytes(), plugin.bytes(), plugin.was_refused()), (0, 80, true));
    instance.give_back(20);
    assert_eq!((instance.bytes(), plugin.bytes()), (50, 60));
    drop((held, instance));
    assert_eq!(plugin.bytes(), 10);
}

#[test]
fn promised_memory_is_counted_even_over_the_limit() {
    let plugin = Memory::of_plugin(100);
    let writer = Memory::new(80);
    writer.charge(&plugin).unwrap();
    writer.charge_freely();
    plugin.take(90).unwrap();
    writer.take(40).unwrap();
    let mut own = writer.borrow_own(10).unwrap();
    own.resize(20).unwrap();
    let page = writer.borrow_freely(50);
    assert_eq!((writer.bytes(), plugin.bytes()), (110, 180));
    assert!(writer.borrow_own(1).is_err());
    assert!(plugin.check_room(0).is_err());
    drop((own, page));
    assert_eq!((writer.bytes(), plugin.bytes()), (40, 130));
    writer.give_back(40);
    assert_eq!(plugin.bytes(), 90);
    plugin.check_room(10).unwrap();
}

#[test]
fn memory_of_a_continued_writer_counts_even_over_the_limit() {
    let plugin = Memory::of_plugin(100);
    plugin.take(90).unwrap();
    let instance = Memory::new(80);
    // It was ready before it was taken for the writer.
    instance.take(20).unwrap();
    instance.charge_anyway(&plugin);
    assert_eq!((instance.bytes(), plugin.bytes()), (20, 110));
    instance.take(30).unwrap();
    assert_eq!((plugin.bytes(), plugin.was_refused()), (140, false));
    // Its own limit holds, and that of the plugin for all others.
    assert!(!instance.take(31).unwrap_err().is_of_plugin());
    assert!(Memory::new(80).charge(&plugin).is_err());
    instance.give_back(50);
    assert_eq!((instance.bytes(), plugin.bytes()), (0, 90));
}
