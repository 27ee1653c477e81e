//! Sets and maps in the order of their keys, built in little code.

/// Collects items into a set or a map, one by one.
///
/// `Iterator::collect` sorts them first. This is faster for many items, and makes the component
/// about 4 KB larger for each type of item.
pub(crate) fn ordered<C: Default + Extend<T>, T>(items: impl IntoIterator<Item = T>) -> C {
    let mut all = C::default();
    all.extend(items);
    all
}
