//! Tables of attributes: one row is a field, its type, its number and its name.
//!
//! `attributes!` makes of a table: the struct, its reader, its writer, the names for error paths, and samples
//! for tests. A row is `field: Option<T> = number`; `Vec<T>` for an attribute that repeats, `bool` for one without
//! payload, `as BigEndian` for a byte order that the type does not say, and `("NAME")` where the kernel's name is not
//! the field's. `record!` does the same for a C struct.

macro_rules! attributes {
    (
        $(#[doc = $about:literal])*
        pub struct $Set:ident ($prefix:literal) $(after {
            $($(#[doc = $header_about:literal])* $header:ident : $Header:ty $([$skip:literal])?),* $(,)?
        })? {
            $($(#[doc = $field_about:literal])* $field:ident : $Field:ty $(as $Codec:ident)? = $number:literal $(($alias:literal))?),* $(,)?
            $(; also { $($other_number:literal = $other_name:literal),* $(,)? })?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $Set {
            $($($(#[doc = $header_about])* pub $header: $Header,)*)?
            $(
                $(#[doc = $field_about])*
                #[doc = concat!("\n\n`", $prefix, "*` number ", stringify!($number), ".")]
                pub $field: $Field,
            )*
            /// Attributes that are not known here, as they came.
            pub other: Vec<$crate::wire::RawAttribute>,
        }

        impl $Set {
            /// The names of the attributes.
            pub const NAMES: &'static $crate::wire::names::Names = {
                static NAMES: $crate::wire::names::Names = $crate::wire::names::Names {
                    prefix: $prefix,
                    rows: &[
                        $($crate::wire::names::Row {
                            number: $number,
                            name: attributes!(@name $field $($alias)?),
                            children: <$Field as $crate::wire::field::Field<attributes!(@codec $($Codec)?)>>::CHILDREN,
                        },)*
                        $($($crate::wire::names::Row {
                            number: $other_number,
                            name: $other_name,
                            children: $crate::wire::names::Children::None,
                        },)*)?
                    ],
                };
                &NAMES
            };

            /// Takes an attribute into its field, or returns false: it is unknown or of an unknown form.
            fn take(&mut self, attribute: &$crate::wire::Attribute<'_>) -> bool {
                use $crate::wire::field::Field;
                match attribute.number() {
                    $($number => Field::<attributes!(@codec $($Codec)?)>::take(&mut self.$field, attribute.payload()),)*
                    _ => false,
                }
            }

            fn take_all(&mut self, bytes: &[u8]) -> Result<(), $crate::wire::MalformedBody> {
                let mut attributes = $crate::wire::Attributes::new(bytes);
                for attribute in attributes.by_ref() {
                    if !self.take(&attribute) {
                        self.other.push(attribute.to_raw());
                    }
                }
                match attributes.rest().len() {
                    0 => Ok(()),
                    left => Err($crate::wire::MalformedBody::Attribute { left }),
                }
            }

            fn put_all(&self, out: &mut $crate::wire::Builder) {
                use $crate::wire::field::Field;
                $(Field::<attributes!(@codec $($Codec)?)>::put(&self.$field, $number, out);)*
                for other in &self.other {
                    out.bytes(other.flagged_number, &other.payload);
                }
            }

            #[cfg(test)]
            #[allow(dead_code, reason = "some sets are sampled by hand")]
            fn sample_all(source: &mut $crate::wire::sample::Source) -> Self {
                Self {
                    $($($header: $crate::wire::value::Fixed::sample_fixed(source),)*)?
                    $($field: <$Field as $crate::wire::field::Field<attributes!(@codec $($Codec)?)>>::sample_field(source),)*
                    other: source.others(),
                }
            }
        }

        #[cfg(feature = "serde")]
        $crate::plain_object! {
            $Set, concat!($($about, "\n"),*),
            always { $($($header: $Header, concat!($($header_about, "\n"),*);)*)? }
            known {
                $($field: $Field, concat!($($field_about, "\n"),*);)*
                other: Vec<$crate::wire::RawAttribute>, "Attributes that are not known here, as they came.";
            }
        }

        attributes!(@impl $Set $({ $($header : $Header $([$skip])?),* })?);
    };

    // A set behind a fixed header is the body of a message.
    (@impl $Set:ident { $($header:ident : $Header:ty $([$skip:literal])?),* }) => {
        impl $crate::wire::Body for $Set {
            const HEADER_LEN: usize = 0 $(+ <$Header as $crate::wire::value::Fixed>::LEN $(+ $skip)?)*;

            fn parse(payload: &[u8]) -> Result<Self, $crate::wire::MalformedBody> {
                let mut set = Self::default();
                let mut bytes = payload;
                set.read_header(&mut bytes).ok_or($crate::wire::MalformedBody::ShortHeader {
                    length: payload.len(),
                    needed: Self::HEADER_LEN,
                })?;
                let start = $crate::wire::attr::aligned(Self::HEADER_LEN);
                set.take_all(payload.get(start..).unwrap_or_default())?;
                Ok(set)
            }

            fn emit(&self, out: &mut $crate::wire::Builder) {
                $(
                    $crate::wire::value::Fixed::write(&self.$header, out);
                    $(out.raw(&[0; $skip]);)?
                )*
                out.raw(&[0; $crate::wire::attr::aligned(Self::HEADER_LEN) - Self::HEADER_LEN]);
                self.put_all(out);
            }
        }

        impl $Set {
            fn read_header(&mut self, bytes: &mut &[u8]) -> Option<()> {
                $(
                    self.$header = $crate::wire::value::Fixed::read(bytes)?;
                    $($crate::wire::value::skip(bytes, $skip)?;)?
                )*
                Some(())
            }
        }

        impl $crate::wire::value::Value for $Set {
            const CHILDREN: $crate::wire::names::Children =
                $crate::wire::names::Children::SetAfter(<Self as $crate::wire::Body>::HEADER_LEN, Self::NAMES);

            fn decode(payload: &[u8]) -> Option<Self> {
                $crate::wire::Body::parse(payload).ok()
            }

            fn encode(&self, out: &mut $crate::wire::Builder) {
                $crate::wire::Body::emit(self, out);
            }

            #[cfg(test)]
            fn sample(source: &mut $crate::wire::sample::Source) -> Self {
                Self::sample_all(source)
            }
        }
    };

    // A set without one is the payload of a nest.
    (@impl $Set:ident) => {
        impl $crate::wire::value::Value for $Set {
            const IS_NEST: bool = true;
            const CHILDREN: $crate::wire::names::Children = $crate::wire::names::Children::Set(Self::NAMES);

            fn decode(payload: &[u8]) -> Option<Self> {
                let mut set = Self::default();
                set.take_all(payload).ok()?;
                Some(set)
            }

            fn encode(&self, out: &mut $crate::wire::Builder) {
                self.put_all(out);
            }

            #[cfg(test)]
            fn sample(source: &mut $crate::wire::sample::Source) -> Self {
                Self::sample_all(source)
            }
        }
    };

    (@codec) => { $crate::wire::codec::Native };
    (@codec $Codec:ident) => { $Codec };
    (@name $field:ident) => { stringify!($field) };
    (@name $field:ident $alias:literal) => { $alias };
}

macro_rules! record {
    (
        $(#[doc = $about:literal])*
        pub struct $Record:ident {
            $($(#[doc = $field_about:literal])* $field:ident : $Field:ty $([$skip:literal])?),* $(,)?
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $Record {
            $($(#[doc = $field_about])* pub $field: $Field,)*
        }

        #[cfg(feature = "serde")]
        $crate::plain_object! {
            $Record, concat!($($about, "\n"),*),
            always { $($field: $Field, concat!($($field_about, "\n"),*);)* }
            known {}
        }

        impl $crate::wire::value::Fixed for $Record {
            const LEN: usize = 0 $(+ <$Field as $crate::wire::value::Fixed>::LEN $(+ $skip)?)*;

            fn read(bytes: &mut &[u8]) -> Option<Self> {
                $(
                    let $field = $crate::wire::value::Fixed::read(bytes)?;
                    $($crate::wire::value::skip(bytes, $skip)?;)?
                )*
                Some(Self { $($field),* })
            }

            fn write(&self, out: &mut $crate::wire::Builder) {
                $(
                    $crate::wire::value::Fixed::write(&self.$field, out);
                    $(out.raw(&[0; $skip]);)?
                )*
            }

            #[cfg(test)]
            fn sample_fixed(source: &mut $crate::wire::sample::Source) -> Self {
                Self { $($field: $crate::wire::value::Fixed::sample_fixed(source)),* }
            }
        }

        impl $crate::wire::value::Value for $Record {
            fn decode(payload: &[u8]) -> Option<Self> {
                let mut bytes = payload;
                let record = $crate::wire::value::Fixed::read(&mut bytes)?;
                bytes.is_empty().then_some(record)
            }

            fn encode(&self, out: &mut $crate::wire::Builder) {
                $crate::wire::value::Fixed::write(self, out);
            }

            #[cfg(test)]
            fn sample(source: &mut $crate::wire::sample::Source) -> Self {
                $crate::wire::value::Fixed::sample_fixed(source)
            }
        }
    };
}
