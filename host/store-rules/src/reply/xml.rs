//! The elements of an XML answer, one after the other.
//!
//! Must not know: the meaning of the elements.
//!
//! 1. Names are compared without their namespace's prefix, which each server chooses.
//! 2. A document has one root, and otherwise only comments, declarations and instructions.
//! 3. Memory is bounded by the depth of the document and its longest text.

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};

/// The reason why a body cannot be read as XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Empty,
    NotXml,
    CutShort,
    TwoRoots,
    /// A comment where none is allowed.
    Comment,
}

/// Returns the name of the root element.
pub fn root_of(body: &[u8]) -> Result<String, Fault> {
    let text = text_of(body)?;
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start) | Event::Empty(start)) => {
                return Ok(String::from_utf8_lossy(start.local_name().into_inner()).into_owned());
            }
            Ok(Event::Text(text)) if text.trim_ascii().is_empty() => {}
            Ok(Event::Decl(_) | Event::PI(_) | Event::Comment(_) | Event::DocType(_)) => {}
            Ok(_) => return Err(Fault::NotXml),
            Err(_) if text.starts_with('<') => return Err(Fault::CutShort),
            Err(_) => return Err(Fault::NotXml),
        }
    }
}

/// Shows each element when it ends, with its path below the root, as `Contents/Key`, and its text.
pub fn walk(body: &[u8], mut show: impl FnMut(&str, &str)) -> Result<(), Fault> {
    walk_all(body, true, &mut show)
}

/// As [`walk`], but a comment is a fault: no store writes one, and it may hide a part.
pub fn walk_without_comments(body: &[u8], mut show: impl FnMut(&str, &str)) -> Result<(), Fault> {
    walk_all(body, false, &mut show)
}

/// Walks all elements: one function for all callers, which keeps components small.
fn walk_all(
    body: &[u8],
    may_have_comments: bool,
    show: &mut dyn FnMut(&str, &str),
) -> Result<(), Fault> {
    let mut has_root = false;
    let mut reader = Reader::from_str(text_of(body)?);
    let mut path = String::new();
    // The start of each open element but the root in the path.
    let mut open: Vec<usize> = Vec::new();
    let mut depth = 0_usize;
    let mut text = String::new();
    loop {
        let event = reader.read_event().map_err(|_| Fault::CutShort)?;
        if depth == 0 {
            match &event {
                Event::Start(_) | Event::Empty(_) if has_root => return Err(Fault::TwoRoots),
                Event::Start(_) | Event::Empty(_) => has_root = true,
                Event::Text(text) if !text.trim_ascii().is_empty() => return Err(Fault::NotXml),
                Event::CData(_) | Event::GeneralRef(_) => return Err(Fault::NotXml),
                _ => {}
            }
        }
        match event {
            Event::Comment(_) if !may_have_comments => return Err(Fault::Comment),
            Event::Start(start) => {
                if depth > 0 {
                    open.push(path.len());
                    push(&mut path, start.local_name().into_inner());
                }
                depth += 1;
                text.clear();
            }
            Event::End(_) => {
                depth = depth.saturating_sub(1);
                if let Some(start) = open.pop() {
                    show(&path, &text);
                    path.truncate(start);
                }
                text.clear();
            }
            Event::Empty(start) if depth > 0 => {
                let length = path.len();
                push(&mut path, start.local_name().into_inner());
                show(&path, "");
                path.truncate(length);
                text.clear();
            }
            Event::Text(part) => text.push_str(&part.decode().map_err(|_| Fault::NotXml)?),
            Event::CData(part) => text.push_str(&part.decode().map_err(|_| Fault::NotXml)?),
            Event::GeneralRef(reference) => push_reference(&mut text, &reference)?,
            Event::Eof if depth > 0 => return Err(Fault::CutShort),
            Event::Eof => return Ok(()),
            _ => {}
        }
    }
}

fn text_of(body: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(body).map_err(|_| Fault::NotXml)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.is_empty() { Err(Fault::Empty) } else { Ok(text) }
}

fn push(path: &mut String, name: &[u8]) {
    if !path.is_empty() {
        path.push('/');
    }
    path.push_str(&String::from_utf8_lossy(name));
}

fn push_reference(text: &mut String, reference: &BytesRef<'_>) -> Result<(), Fault> {
    if let Some(c) = reference.resolve_char_ref().map_err(|_| Fault::NotXml)? {
        text.push(c);
        return Ok(());
    }
    let name = reference.decode().map_err(|_| Fault::NotXml)?;
    let meant = resolve_predefined_entity(&name).ok_or(Fault::NotXml)?;
    text.push_str(meant);
    Ok(())
}
