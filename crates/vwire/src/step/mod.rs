//! Changes to the kernel as steps: planned, shown, done, and put back if a part is refused.
//!
//! One pure function carries plans, rollbacks, drift and labs: [`converge`] takes what is wanted, what is there and what
//! may be touched, and returns the steps from the one to the other; [`differences`] says what is not as it should be.
//! Both stand on [`World`], the tables of some namespaces ([`Place`]s) as the kernel says them. What is wanted is a
//! `World`, too: as a wish, which leaves open what it does not say (a lab's file), or as a picture of all that was there
//! (a rollback), see [`Reading`].
//!
//! One file a kind of object: [`link`], [`address`], [`route`] … say what makes two the same, what of one differs, how it
//! is made, changed and deleted, and what the kernel makes and takes away by itself. [`mod@run`] is the thin part that
//! touches the world: it looks, does steps, and brings back what was.
//!
//! To add a kind of object: a file with `plan` and `differences`, a variant of [`Object`], its words in `words`, a line
//! in `converge` and its stages in `plan`.

pub mod action;
mod address;
pub mod anew;
pub mod around;
pub mod below;
pub mod comparison;
mod converge;
mod delta;
mod departure;
pub mod difference;
pub mod focus;
mod forwarding;
mod label;
mod link;
mod look;
mod neighbour;
mod nexthop;
pub mod part;
mod plan;
pub mod rehearse;
mod route;
mod rule;
pub mod run;
pub mod scope;
mod sysctl;
mod vlan;
mod words;
pub mod world;

pub use action::{Action, Object, Step, Verb};
pub use converge::{converge, differences, differences_among};
pub use difference::Difference;
pub use scope::{Parts, Reach, Reading, Scope};
pub use world::{End, Names, Place, World};
