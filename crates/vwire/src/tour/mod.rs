//! The tour: what a newcomer is shown, and the small programs that sit on the other end of its devices.
//!
//! [`script`] is the whole tour as data: scenes, the commands typed in them, what each must show,
//! and the sentences in between. [`responder`] decides what a program answers to a packet; both are
//! pure. [`program`] opens the devices. The verb `tour` plays the script.

pub mod program;
pub mod responder;
pub mod script;
