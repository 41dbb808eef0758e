//! What the system says now, as plain data: the tables of namespaces, who holds what, and what numbers are called.

/// Makes structs that are plain data and can be written to a file and read again; see [`vwire_netlink::plain`].
macro_rules! plain_structs {
    ($(
        $(#[doc = $about:literal])*
        pub struct $Type:ident {
            $($(#[doc = $field_about:literal])* pub $field:ident: $Field:ty,)*
        }
    )*) => { $(
        $(#[doc = $about])*
        #[derive(Debug, Clone, Default, PartialEq, Eq)]
        pub struct $Type {
            $($(#[doc = $field_about])* pub $field: $Field,)*
        }

        vwire_netlink::plain_object! {
            $Type, concat!($($about, "\n"),*),
            always { $($field: $Field, concat!($($field_about, "\n"),*);)* }
            known {}
        }
    )* };
}

pub mod device;
pub mod document;
pub mod hosts;
pub mod kernel;
pub mod names;
pub mod read;
pub mod schema;
pub mod state;
pub mod sysctl;
