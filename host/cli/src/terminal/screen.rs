//! Defines the terminal behind stderr, on which progress lines are drawn.
//!
//! 1. Between drawings the cursor is at the beginning of the last line. indicatif leaves it at the
//!    end. There, the `^C` that the terminal shows would begin a new line, and the wrong line would
//!    be cleared.

use std::fmt;
use std::io;

use console::Term;
use indicatif::{ProgressDrawTarget, TermLike};

/// The maximum number of drawings per second.
const DRAWINGS_PER_SECOND: u8 = 20;

/// Returns the target of progress lines: stderr, or none if stderr is not a terminal that can move
/// its cursor.
pub(crate) fn target() -> ProgressDrawTarget {
    let term = Term::buffered_stderr();
    let is_dumb = std::env::var_os("TERM").is_none_or(|name| name == "dumb");
    match term.is_term() && (cfg!(windows) || !is_dumb) {
        true => on(Screen(term)),
        false => ProgressDrawTarget::hidden(),
    }
}

fn on<T: TermLike + 'static>(screen: Screen<T>) -> ProgressDrawTarget {
    ProgressDrawTarget::term_like_with_hz(Box::new(screen), DRAWINGS_PER_SECOND)
}

#[derive(Debug)]
struct Screen<T>(T);

impl<T: TermLike + fmt::Debug> TermLike for Screen<T> {
    fn width(&self) -> u16 {
        self.0.width()
    }

    fn height(&self) -> u16 {
        self.0.height()
    }

    fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_up(lines)
    }

    fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
        self.0.move_cursor_down(lines)
    }

    fn move_cursor_right(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_right(columns)
    }

    fn move_cursor_left(&self, columns: usize) -> io::Result<()> {
        self.0.move_cursor_left(columns)
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.0.write_line(text)
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.0.write_str(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.0.clear_line()
    }

    fn flush(&self) -> io::Result<()> {
        self.0.write_str("\r")?;
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::ProgressBar;

    use super::*;

    /// Keeps the written data until each flush.
    #[derive(Clone, Debug, Default)]
    struct Recorded(Arc<Mutex<(String, Vec<String>)>>);

    impl Recorded {
        fn add(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().0.push_str(text);
            Ok(())
        }
    }

    impl TermLike for Recorded {
        fn width(&self) -> u16 {
            80
        }

        fn move_cursor_up(&self, lines: usize) -> io::Result<()> {
            self.add(&format!("<up {lines}>"))
        }

        fn move_cursor_down(&self, lines: usize) -> io::Result<()> {
            self.add(&format!("<down {lines}>"))
        }

        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }

        fn write_line(&self, text: &str) -> io::Result<()> {
            self.add(text)?;
            self.add("\n")
        }

        fn write_str(&self, text: &str) -> io::Result<()> {
            self.add(text)
        }

        fn clear_line(&self) -> io::Result<()> {
            self.add("\r<clear>")
        }

        fn flush(&self) -> io::Result<()> {
            let (text, flushed) = &mut *self.0.lock().unwrap();
            flushed.push(std::mem::take(text));
            Ok(())
        }
    }

    #[test]
    fn cursor_is_left_at_the_beginning_of_the_line() {
        let recorded = Recorded::default();
        let line = ProgressBar::with_draw_target(Some(3), on(Screen(recorded.clone())));
        line.tick();
        line.finish_and_clear();
        let (_, flushed) = &*recorded.0.lock().unwrap();
        assert!(flushed.iter().any(|drawn| drawn.contains("0/3")), "{flushed:?}");
        for drawn in flushed {
            assert!(drawn.ends_with('\r'), "{drawn:?}");
        }
    }
}
