//! Plain data: how each struct is written as JSON, or as whatever else serde writes, and read again. Pure.
//!
//! With the feature `serde` every body of [`crate::wire`] and all that is in one has [`Serialize`](serde::Serialize) and
//! [`Deserialize`](serde::Deserialize), and what is written is read back equal:
//!
//! - a struct is an object; its fields have their names, and one that is `None`, `false` or empty is left out;
//! - a number is a number, up to 64 bits; text and names are strings, and if they are not UTF-8, `{"bytes":"ff78"}`;
//! - an IP address and a hardware address are strings as people write them; bytes are hexadecimal;
//! - what no table knows is kept, as bytes in the kernel's order;
//! - on reading, a field that is not known is passed over, and one that is missing is as [`Default`] has it.
//!
//! The tables of `wire` make it, by [`plain_object!`](crate::plain_object); no procedural macro is needed. The same
//! tables tell what a document may hold and what each field is for ([`Plain::shape`]), so that a schema and a reference
//! can be written from them. `value` has the values that no table has.

pub(crate) mod link;
#[cfg(test)]
mod tests;
mod value;

pub use serde;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::ser::{SerializeMap, Serializer};

/// A value as plain data.
pub trait Plain: Sized {
    /// Whether there may be no value.
    const IS_OPTIONAL: bool = false;

    /// Returns whether the value is left out everywhere, as `None` is.
    fn is_absent(&self) -> bool {
        false
    }

    /// Returns whether the value is left out among attributes, as what a message need not have.
    fn is_nothing(&self) -> bool {
        self.is_absent()
    }

    /// Writes the value.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    fn write<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error>;

    /// Reads a value.
    ///
    /// # Errors
    ///
    /// What is there has not this value's form.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;

    /// Tells the form of the value.
    fn shape() -> Shape;

    /// Writes many.
    ///
    /// # Errors
    ///
    /// Those of the serializer.
    fn write_all<S: Serializer>(values: &[Self], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(Written))
    }

    /// Reads many.
    ///
    /// # Errors
    ///
    /// What is there has not the form of many.
    fn read_all<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Self>, D::Error> {
        value::read_list(deserializer)
    }

    /// Tells the form of many.
    fn shape_of_many() -> Shape {
        Shape::List(Box::new(Self::shape()))
    }
}

/// The form of a value, to write a schema from.
#[derive(Clone, Debug)]
pub enum Shape {
    /// A whole number, from and to.
    Number(i64, u64),
    /// True or false.
    Switch,
    /// Text.
    Text,
    /// Text, or an object with `bytes` where it is not UTF-8.
    TextOrBytes,
    /// A string of some form: what it is, and a regular expression.
    Pattern(&'static str, &'static str),
    /// A list.
    List(Box<Shape>),
    /// An object whose members are called by what they are about: what that is, and their form.
    Map(&'static str, Box<Shape>),
    /// An object.
    Object(Object),
    /// An object with one member, whose name says which.
    Choice(Object),
    /// One of many forms.
    Either(Vec<Shape>),
}

/// The form of an object.
#[derive(Clone, Copy, Debug)]
pub struct Object {
    /// The name of the struct.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Returns its fields.
    pub fields: fn() -> Vec<Field>,
}

/// A field of an object.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name.
    pub name: &'static str,
    /// What it says.
    pub about: &'static str,
    /// Whether it is always there.
    pub is_always: bool,
    /// Its form.
    pub shape: Shape,
}

/// A value on its way out.
#[derive(Debug)]
pub struct Written<'a, T>(pub &'a T);

impl<T: Plain> serde::Serialize for Written<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.write(serializer)
    }
}

/// A value that was read.
#[derive(Debug)]
pub struct Read<T>(pub T);

impl<'de, T: Plain> serde::Deserialize<'de> for Read<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

/// The name of a member.
#[derive(Debug)]
pub struct Key<'de>(pub std::borrow::Cow<'de, str>);

impl<'de> serde::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("the name of a field")
            }

            fn visit_str<E>(self, name: &str) -> Result<Key<'de>, E> {
                Ok(Key(name.to_owned().into()))
            }

            fn visit_borrowed_str<E>(self, name: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(name.into()))
            }
        }
        deserializer.deserialize_identifier(Reader)
    }
}

/// Returns the name of a field; one that Rust has a word for is written `r#type`.
#[must_use]
pub const fn name_of(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Writes a member of an object.
///
/// # Errors
///
/// Those of the serializer.
pub fn write_field<M: SerializeMap, T: Plain>(map: &mut M, name: &'static str, value: &T) -> Result<(), M::Error> {
    map.serialize_entry(name, &Written(value))
}

/// Reads the value of a member.
///
/// # Errors
///
/// What is there has not the value's form.
pub fn read_field<'de, A: MapAccess<'de>, T: Plain>(map: &mut A) -> Result<T, A::Error> {
    map.next_value::<Read<T>>().map(|read| read.0)
}

/// Makes a struct of plain data of its fields: `always` are written whatever they are, unless `None`; the others
/// only if there is something in them.
///
/// The struct must have [`Default`], each field [`Plain`].
#[macro_export]
macro_rules! plain_object {
    (
        $Type:ident, $about:expr,
        always { $($always:ident : $Always:ty, $always_about:expr;)* }
        known { $($field:ident : $Field:ty, $field_about:expr;)* }
    ) => {
        impl $crate::plain::Plain for $Type {
            fn write<S: $crate::plain::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                use $crate::plain::serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(None)?;
                $(
                    if !$crate::plain::Plain::is_absent(&self.$always) {
                        const NAME: &str = $crate::plain::name_of(stringify!($always));
                        $crate::plain::write_field(&mut map, NAME, &self.$always)?;
                    }
                )*
                $(
                    if !$crate::plain::Plain::is_nothing(&self.$field) {
                        const NAME: &str = $crate::plain::name_of(stringify!($field));
                        $crate::plain::write_field(&mut map, NAME, &self.$field)?;
                    }
                )*
                map.end()
            }

            fn read<'de, D: $crate::plain::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Reader;
                impl<'de> $crate::plain::serde::de::Visitor<'de> for Reader {
                    type Value = $Type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("an object with the fields of a `", stringify!($Type), "`"))
                    }

                    fn visit_map<A>(self, mut map: A) -> Result<$Type, A::Error>
                    where
                        A: $crate::plain::serde::de::MapAccess<'de>,
                    {
                        let mut object = <$Type>::default();
                        while let Some(key) = map.next_key::<$crate::plain::Key<'de>>()? {
                            let key: &str = &key.0;
                            $(
                                if key == const { $crate::plain::name_of(stringify!($always)) } {
                                    object.$always = $crate::plain::read_field(&mut map)?;
                                    continue;
                                }
                            )*
                            $(
                                if key == const { $crate::plain::name_of(stringify!($field)) } {
                                    object.$field = $crate::plain::read_field(&mut map)?;
                                    continue;
                                }
                            )*
                            map.next_value::<$crate::plain::serde::de::IgnoredAny>()?;
                        }
                        Ok(object)
                    }
                }
                deserializer.deserialize_map(Reader)
            }

            fn shape() -> $crate::plain::Shape {
                fn fields() -> Vec<$crate::plain::Field> {
                    vec![
                        $($crate::plain::Field {
                            name: $crate::plain::name_of(stringify!($always)),
                            about: $always_about,
                            is_always: !<$Always as $crate::plain::Plain>::IS_OPTIONAL,
                            shape: <$Always as $crate::plain::Plain>::shape(),
                        },)*
                        $($crate::plain::Field {
                            name: $crate::plain::name_of(stringify!($field)),
                            about: $field_about,
                            is_always: false,
                            shape: <$Field as $crate::plain::Plain>::shape(),
                        },)*
                    ]
                }
                $crate::plain::Shape::Object($crate::plain::Object { name: stringify!($Type), about: $about, fields })
            }
        }

        $crate::plain_serde!($Type);
    };
}

/// Gives a type that has [`Plain`] serde's own two traits.
#[macro_export]
macro_rules! plain_serde {
    ($($Type:ty),*) => { $(
        impl $crate::plain::serde::Serialize for $Type {
            fn serialize<S: $crate::plain::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                $crate::plain::Plain::write(self, serializer)
            }
        }

        impl<'de> $crate::plain::serde::Deserialize<'de> for $Type {
            fn deserialize<D: $crate::plain::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::plain::Plain::read(deserializer)
            }
        }
    )* };
}
