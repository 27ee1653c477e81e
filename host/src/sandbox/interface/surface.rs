//! The surface of a component: the names of its imports and exports.

use wasmparser::{Chunk, Parser, Payload};

/// The numbers of the component sections that may precede an import and contain its type.
const CORE_TYPES: u8 = 3;
const ALIASES: u8 = 6;
const TYPES: u8 = 7;
const IMPORTS: u8 = 10;

/// The first bytes of every component.
const PREAMBLE: &[u8] = b"\0asm\x0d\0\x01\0";

/// The surface of a component, as far as it can be read.
#[derive(Debug, Default)]
pub(super) struct Surface {
    pub(super) imports: Vec<String>,
    pub(super) exports: Vec<String>,
    /// The bytes end before the component does.
    pub(super) is_cut_off: bool,
    /// A component that has the same imports and does nothing.
    pub(super) importer: Vec<u8>,
}

impl Surface {
    pub(super) fn of(component: &[u8]) -> Self {
        let mut surface = Self { importer: PREAMBLE.to_vec(), ..Self::default() };
        let mut is_front = true;
        let (mut parser, mut rest) = (Parser::new(0), component);
        loop {
            let (consumed, payload) = match parser.parse(rest, true) {
                Ok(Chunk::Parsed { consumed, payload }) => (consumed, payload),
                Ok(Chunk::NeedMoreData(_)) => {
                    surface.is_cut_off = true;
                    break;
                }
                // The compiler has the best message for any other fault.
                Err(error) => {
                    surface.is_cut_off = error.message().starts_with("unexpected end");
                    break;
                }
            };
            let mut skipped = consumed;
            let section = payload.as_section();
            match payload {
                Payload::ModuleSection { unchecked_range, .. } => {
                    skipped = consumed.saturating_add(unchecked_range.len());
                }
                Payload::ComponentSection { unchecked_range, .. } => {
                    skipped = consumed.saturating_add(unchecked_range.len());
                    is_front = false;
                }
                Payload::ComponentImportSection(section) => {
                    let names = section.into_iter().flatten().map(|one| one.name.name.to_owned());
                    surface.imports.extend(names);
                }
                Payload::ComponentExportSection(section) => {
                    let names = section.into_iter().flatten().map(|one| one.name.name.to_owned());
                    surface.exports.extend(names);
                    is_front = false;
                }
                Payload::InstanceSection(_)
                | Payload::ComponentInstanceSection(_)
                | Payload::ComponentCanonicalSection(_)
                | Payload::ComponentStartSection { .. } => is_front = false,
                Payload::End(_) => break,
                _ => {}
            }
            if let Some((id @ (CORE_TYPES | ALIASES | TYPES | IMPORTS), range)) = section
                && is_front
                && let Some(content) = component.get(range)
            {
                surface.add_section(id, content);
            }
            match rest.get(skipped..) {
                Some(more) => rest = more,
                None => {
                    surface.is_cut_off = true;
                    break;
                }
            }
        }
        surface
    }

    fn add_section(&mut self, id: u8, content: &[u8]) {
        self.importer.push(id);
        let mut length = content.len();
        // LEB128: seven bits at a time; the eighth means that more follow.
        loop {
            let [low, ..] = length.to_le_bytes();
            length >>= 7;
            if length == 0 {
                self.importer.push(low & 0x7f);
                break;
            }
            self.importer.push(low | 0x80);
        }
        self.importer.extend_from_slice(content);
    }
}

/// Returns true if a core module imports the system of `wasm32-wasip1`.
pub(super) fn is_of_preview_1(module: &[u8]) -> bool {
    let imports = Parser::new(0).parse_all(module).flatten().find_map(|payload| match payload {
        Payload::ImportSection(imports) => Some(imports),
        _ => None,
    });
    imports.is_some_and(|imports| {
        imports.into_imports().flatten().any(|import| import.module == "wasi_snapshot_preview1")
    })
}

#[cfg(test)]
mod tests {
    use wasmtime::Engine;
    use wasmtime::component::Component;

    use super::*;
    use crate::sandbox::interface::of_package;

    #[test]
    fn embedded_component_shows_its_interfaces() {
        let surface = Surface::of(crate::Host::embedded_component());
        assert!(surface.exports.iter().any(|name| name == of_package!("append-log")));
        assert!(surface.imports.iter().any(|name| name == of_package!("object-store")));
    }

    #[test]
    fn importer_imports_what_the_component_does() {
        let engine = Engine::default();
        let surface = Surface::of(crate::Host::embedded_component());
        assert!(surface.importer.len() > 1_000 && surface.importer.len() < 100_000);
        let importer = Component::from_binary(&engine, &surface.importer).unwrap();
        let ty = importer.component_type();
        let imports: Vec<&str> = ty.imports(&engine).map(|(name, _)| name).collect();
        assert_eq!(imports, surface.imports);
    }

    #[test]
    fn component_that_is_cut_off_shows_its_beginning() {
        let component = crate::Host::embedded_component();
        for length in [0, 1, 8, 100, 1_000] {
            let surface = Surface::of(&component[..length]);
            assert!(surface.exports.is_empty(), "{length}");
        }
        assert!(!Surface::of(component).is_cut_off);
        let half = component.len() / 2;
        for length in [9, 1_000, half, half + 1, component.len() - 1] {
            assert!(Surface::of(&component[..length]).is_cut_off, "{length}");
        }
    }
}
