//! Knows the users and groups of this machine, which owners of TUN and TAP devices are looked up in.

use super::Accounts;

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
