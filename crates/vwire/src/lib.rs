//! Virtual wiring for Linux: the rooms behind the `vwire` command.
