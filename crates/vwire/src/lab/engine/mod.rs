//! Brings labs up, changes them and takes them down: the part that touches the kernel.
//!
//! - [`site`]: the namespaces of a lab's nodes, open, with a socket each;
//! - [`up`](mod@up): from a file to a lab that runs, or to nothing changed;
//! - [`down`](mod@down): everything of a lab away, by the marks alone if need be;
//! - [`field`](mod@field), [`survey`](mod@survey): what of a lab is there already, and what is to be done;
//! - [`beside`]: what is in no table, brought back;
//! - [`commands`], [`running`]: what is run in nodes, and what of it is running;
//! - [`confirm`](mod@confirm), [`clock`]: what is undone unless somebody confirms it in time, and who waits for that;
//! - [`precheck`]: what can be known before anything is touched;
//! - [`journal`], [`saved`]: what is written down before anything is done.

pub mod beside;
pub mod clock;
pub mod commands;
pub mod confirm;
pub mod down;
pub mod field;
pub mod journal;
pub mod precheck;
pub mod running;
pub mod saved;
pub mod site;
pub mod strangers;
pub mod survey;
pub mod up;

use super::failed::Failed;

/// Who is told how it goes.
pub trait Listener {
    /// Another process changes the lab; it is waited for.
    fn waits(&mut self, lab: &str, pid: Option<u32>);
    /// So many of so many things are done.
    fn progress(&mut self, what: &'static str, done: usize, all: usize);
    /// Something that does not stand in the way.
    fn warns(&mut self, text: &str);
    /// Tells the number of the signal that asks for the end, if one does: asked between steps, and while waiting.
    fn asks_to_end(&mut self) -> Option<i32> {
        None
    }
}

/// Goes on unless a signal asks for the end.
///
/// # Errors
/// One does.
pub fn go_on(listener: &mut (dyn Listener + Send)) -> Done<()> {
    listener.asks_to_end().map_or(Ok(()), |signal| Err(Failed::interrupted(signal)))
}

/// A listener that keeps nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Listener for Silent {
    fn waits(&mut self, _: &str, _: Option<u32>) {}
    fn progress(&mut self, _: &'static str, _: usize, _: usize) {}
    fn warns(&mut self, _: &str) {}
}

/// What the engine's functions return.
pub type Done<T> = Result<T, Failed>;
