//! Opens a lab's file, never reads more of it than a file may have, and knows the users of this machine.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::{Accounts, LARGEST, Problem, Warning, read_bytes};
use crate::lab::model::Lab;

/// The accounts of this machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct OfThisMachine;

impl Accounts for OfThisMachine {
    fn user(&self, name: &str) -> Option<u32> {
        nix::unistd::User::from_name(name).ok().flatten().map(|user| user.uid.as_raw())
    }

    fn group(&self, name: &str) -> Option<u32> {
        nix::unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
    }
}

/// Why a file gives no lab.
#[derive(Debug)]
pub enum LoadError {
    /// It cannot be read.
    Unreadable(io::Error),
    /// It can, and is wrong.
    Wrong(Vec<Problem>),
}

/// Reads a lab from a file, or from standard input if that is called `-`.
///
/// # Errors
/// The file cannot be read, or is wrong.
pub fn load(path: &Path) -> Result<(Lab, Vec<Warning>), LoadError> {
    let bytes = if path.as_os_str() == "-" { most(io::stdin().lock()) } else { open(path) };
    let bytes = bytes.map_err(LoadError::Unreadable)?;
    let name = if path.as_os_str() == "-" { "standard input".into() } else { path.to_string_lossy() };
    read_bytes(&bytes, &name, &OfThisMachine).map_err(LoadError::Wrong)
}

fn open(path: &Path) -> io::Result<Vec<u8>> {
    most(File::open(path)?)
}

/// Reads one byte more than a file may have, so that a longer one is seen to be longer.
fn most(from: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(LARGEST as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
