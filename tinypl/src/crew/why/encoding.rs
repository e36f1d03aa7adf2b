//! While encoding: the value is walked once more, to listen.
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer, StdError,
};
use std::fmt;

/// Why `value` could not be encoded.
pub(crate) fn why(value: &(impl Serialize + ?Sized), error: &postcard::Error) -> String {
    let said = matches!(error, postcard::Error::SerdeSerCustom).then(|| value.serialize(Walk).err()).flatten();
    said.map_or_else(|| error.to_string(), |Said(text)| text)
}

/// Goes through a value, and makes nothing of it.
struct Walk;

#[derive(Debug)]
struct Said(String);

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Said {}

impl serde::ser::Error for Said {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

type Walked<T = ()> = Result<T, Said>;

macro_rules! passes {
    ($($name:ident($($kind:ty),*);)*) => {$(
        fn $name(self, $(_: $kind),*) -> Walked {
            Ok(())
        }
    )*};
}

macro_rules! enters {
    ($($name:ident($($kind:ty),*);)*) => {$(
        fn $name(self, $(_: $kind),*) -> Walked<Self> {
            Ok(self)
        }
    )*};
}

macro_rules! parts {
    ($($of:ident: $name:ident($($key:ty)?);)*) => {$(
        impl $of for Walk {
            type Ok = ();
            type Error = Said;

            fn $name<T: Serialize + ?Sized>(&mut self, $(_: $key,)? value: &T) -> Walked {
                value.serialize(Walk)
            }

            fn end(self) -> Walked {
                Ok(())
            }
        }
    )*};
}

impl Serializer for Walk {
    type Ok = ();
    type Error = Said;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    passes! {
        serialize_bool(bool);
        serialize_i8(i8);
        serialize_i16(i16);
        serialize_i32(i32);
        serialize_i64(i64);
        serialize_i128(i128);
        serialize_u8(u8);
        serialize_u16(u16);
        serialize_u32(u32);
        serialize_u64(u64);
        serialize_u128(u128);
        serialize_f32(f32);
        serialize_f64(f64);
        serialize_char(char);
        serialize_str(&str);
        serialize_bytes(&[u8]);
        serialize_none();
        serialize_unit();
        serialize_unit_struct(&'static str);
        serialize_unit_variant(&'static str, u32, &'static str);
    }

    enters! {
        serialize_seq(Option<usize>);
        serialize_tuple(usize);
        serialize_tuple_struct(&'static str, usize);
        serialize_tuple_variant(&'static str, u32, &'static str, usize);
        serialize_map(Option<usize>);
        serialize_struct(&'static str, usize);
        serialize_struct_variant(&'static str, u32, &'static str, usize);
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Walked {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Walked {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        value: &T,
    ) -> Walked {
        value.serialize(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

parts! {
    SerializeSeq: serialize_element();
    SerializeTuple: serialize_element();
    SerializeTupleStruct: serialize_field();
    SerializeTupleVariant: serialize_field();
    SerializeStruct: serialize_field(&'static str);
    SerializeStructVariant: serialize_field(&'static str);
}

impl SerializeMap for Walk {
    type Ok = ();
    type Error = Said;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Walked {
        key.serialize(Self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Walked {
        value.serialize(Self)
    }

    fn end(self) -> Walked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Serialize;
    use serde::ser::Error;
    use std::collections::BTreeMap;

    /// It fails, in whatever it lies.
    struct Stubborn;

    impl Serialize for Stubborn {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(S::Error::custom("no, and that is why"))
        }
    }

    #[derive(Serialize)]
    struct Pair<T>(u8, T);

    #[derive(Serialize)]
    struct Named<T> {
        text: &'static str,
        inner: T,
    }

    #[derive(Serialize)]
    enum Choice<T> {
        One(T),
        Two(char, T),
        Three { unit: (), inner: T },
    }

    #[derive(Serialize)]
    struct New<T>(T);

    #[track_caller]
    fn says(value: &impl Serialize) {
        let error = postcard::to_stdvec(value).expect_err("it fails");
        assert_eq!(why(value, &error), "no, and that is why");
    }

    #[test]
    fn wherever_it_lies_its_reason_is_heard() {
        says(&Stubborn);
        says(&(1_i128, 2.5_f32, "text", Stubborn));
        says(&vec![Some(New(Stubborn))]);
        says(&Named { text: "a", inner: Pair(1, Stubborn) });
        says(&BTreeMap::from([("a", Stubborn)]));
        says(&Choice::One(Stubborn));
        says(&Choice::Two('a', Stubborn));
        says(&Choice::Three { unit: (), inner: Some(Stubborn) });
    }

    /// postcard's own errors say it themselves.
    #[test]
    fn a_sequence_of_unknown_length() {
        struct Endless;
        impl Serialize for Endless {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_seq(None)?.end()
            }
        }
        let error = postcard::to_stdvec(&Endless).expect_err("it has no length");
        assert_eq!(why(&Endless, &error), error.to_string());
    }
}
