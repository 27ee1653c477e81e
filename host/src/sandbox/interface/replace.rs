//! Functions that take the place of generated ones.

use wasmtime::component::{Linker, LinkerInstance};

/// Defines functions of an interface in the place of those that the linker has.
///
/// A function that the linker does not have is an error. Else a new name or version of the
/// interface would leave the generated functions in their place, which do the same and are slower.
pub(crate) fn replace<T: 'static>(
    linker: &mut Linker<T>,
    interface: &str,
    functions: &[&str],
    define: impl FnOnce(&mut LinkerInstance<'_, T>) -> wasmtime::Result<()>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(false);
    let mut instance = linker.instance(interface)?;
    for function in functions {
        // The linker refuses a second definition.
        if instance.func_wrap(function, |_, (): ()| Ok(())).is_ok() {
            return Err(wasmtime::Error::msg(format!(
                "cannot replace {function} of {interface}: the linker has no such function"
            )));
        }
    }
    linker.allow_shadowing(true);
    let defined = linker.instance(interface).and_then(|mut instance| define(&mut instance));
    linker.allow_shadowing(false);
    defined
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;

    use super::*;
    use crate::sandbox::interface::of_package;

    const READ: &str = "[method]bytes.read";

    fn replaced(interface: &str, function: &str) -> Result<(), String> {
        let mut linker = Linker::<()>::new(&Engine::default());
        let mut instance = linker.instance(of_package!("host-bytes")).unwrap();
        instance.func_wrap(READ, |_, (): ()| Ok(())).unwrap();
        let replaced = replace(&mut linker, interface, &[function], |instance| {
            instance.func_wrap(function, |_, (): ()| Ok((1_u32,)))
        });
        replaced.map_err(|error| error.to_string())
    }

    #[test]
    fn function_takes_the_place_of_one_that_is_there() {
        assert_eq!(replaced(of_package!("host-bytes"), READ), Ok(()));
    }

    #[test]
    fn function_of_another_version_or_name_is_an_error() {
        let later = "stratalog:log/host-bytes@9.0.0";
        for (interface, function) in [
            (later, READ),
            (of_package!("object-store"), READ),
            (of_package!("host-bytes"), "[method]bytes.read-all"),
        ] {
            let error = replaced(interface, function).unwrap_err();
            let expected = format!("cannot replace {function} of {interface}: ");
            assert!(error.starts_with(&expected), "{error}");
        }
    }
}
