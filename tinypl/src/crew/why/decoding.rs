//! While decoding: a deserialiser around postcard's, whose error keeps what it is told. On its way through postcard's own code,
//! which has room for no words, the text lies beside.
use super::super::plain;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, StdError, VariantAccess,
    Visitor,
};
use std::cell::RefCell;
use std::fmt;

/// A value from its bytes.
///
/// # Errors
/// What its `Deserialize` says when it fails. It is asked a second time then: the first time nobody listens, for that takes time.
pub(crate) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match plain::read(bytes) {
        Some(vector) => Ok(vector),
        None => postcard::from_bytes(bytes).map_err(|error| match error {
            postcard::Error::SerdeDeCustom => reason::<T>(bytes).unwrap_or_else(|| error.to_string()),
            error => error.to_string(),
        }),
    }
}

#[cold]
fn reason<T: DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    decode_once::<T>(bytes).err()
}

/// As [`decode`], where it can't be done twice.
///
/// # Errors
/// As `decode`.
pub(crate) fn decode_once<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    let beside = RefCell::new(None);
    let mut postcard = postcard::Deserializer::from_bytes(bytes);
    T::deserialize(Heard { inner: &mut postcard, beside: &beside }).map_err(|error| error.to_string())
}

/// Anything of serde's that stands between a value and postcard.
struct Heard<'a, X> {
    inner: X,
    /// What was said, while an error passes postcard.
    beside: &'a Beside,
}

/// What somebody said, or postcard's own error.
#[derive(Debug)]
enum Said<E> {
    Words(String),
    Own(E),
}

impl<E: fmt::Display> fmt::Display for Said<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(text) => f.write_str(text),
            Self::Own(error) => error.fmt(f),
        }
    }
}

impl<E: StdError> StdError for Said<E> {}

impl<E: Error> Error for Said<E> {
    fn custom<T: fmt::Display>(text: T) -> Self {
        Self::Words(text.to_string())
    }
}

/// Where what was said lies.
type Beside = RefCell<Option<String>>;

/// To postcard.
fn lay_down<T, E: Error>(beside: &Beside, result: Result<T, Said<E>>) -> Result<T, E> {
    result.map_err(|said| match said {
        Said::Own(error) => error,
        Said::Words(text) => {
            beside.replace(Some(text));
            E::custom("it lies beside")
        }
    })
}

/// From postcard.
fn take_up<T, E>(beside: &Beside, result: Result<T, E>) -> Result<T, Said<E>> {
    result.map_err(|error| beside.take().map_or(Said::Own(error), Said::Words))
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Heard<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let Self { inner: seed, beside } = self;
        lay_down(beside, seed.deserialize(Heard { inner, beside }))
    }
}

macro_rules! asks {
    ($($name:ident($($argument:ident: $kind:ty),*);)*) => {$(
        fn $name<V: Visitor<'de>>(self, $($argument: $kind,)* visitor: V) -> Result<V::Value, Self::Error> {
            let Self { inner, beside } = self;
            take_up(beside, inner.$name($($argument,)* Heard { inner: visitor, beside }))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Heard<'_, D> {
    type Error = Said<D::Error>;

    asks! {
        deserialize_any();
        deserialize_bool();
        deserialize_i8();
        deserialize_i16();
        deserialize_i32();
        deserialize_i64();
        deserialize_i128();
        deserialize_u8();
        deserialize_u16();
        deserialize_u32();
        deserialize_u64();
        deserialize_u128();
        deserialize_f32();
        deserialize_f64();
        deserialize_char();
        deserialize_str();
        deserialize_string();
        deserialize_bytes();
        deserialize_byte_buf();
        deserialize_option();
        deserialize_unit();
        deserialize_unit_struct(name: &'static str);
        deserialize_newtype_struct(name: &'static str);
        deserialize_seq();
        deserialize_tuple(len: usize);
        deserialize_tuple_struct(name: &'static str, len: usize);
        deserialize_map();
        deserialize_struct(name: &'static str, fields: &'static [&'static str]);
        deserialize_enum(name: &'static str, variants: &'static [&'static str]);
        deserialize_identifier();
        deserialize_ignored_any();
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

macro_rules! gives {
    ($($name:ident($($value:ident: $kind:ty)?);)*) => {$(
        fn $name<E: Error>(self, $($value: $kind)?) -> Result<V::Value, E> {
            lay_down(self.beside, self.inner.$name($($value)?))
        }
    )*};
}

macro_rules! opens {
    ($($name:ident: $kind:ident;)*) => {$(
        fn $name<X: $kind<'de>>(self, inner: X) -> Result<V::Value, X::Error> {
            let Self { inner: visitor, beside } = self;
            lay_down(beside, visitor.$name(Heard { inner, beside }))
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Heard<'_, V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    gives! {
        visit_bool(value: bool);
        visit_i8(value: i8);
        visit_i16(value: i16);
        visit_i32(value: i32);
        visit_i64(value: i64);
        visit_i128(value: i128);
        visit_u8(value: u8);
        visit_u16(value: u16);
        visit_u32(value: u32);
        visit_u64(value: u64);
        visit_u128(value: u128);
        visit_f32(value: f32);
        visit_f64(value: f64);
        visit_char(value: char);
        visit_str(value: &str);
        visit_borrowed_str(value: &'de str);
        visit_string(value: String);
        visit_bytes(value: &[u8]);
        visit_borrowed_bytes(value: &'de [u8]);
        visit_byte_buf(value: Vec<u8>);
        visit_none();
        visit_unit();
    }

    opens! {
        visit_some: Deserializer;
        visit_newtype_struct: Deserializer;
        visit_seq: SeqAccess;
        visit_map: MapAccess;
        visit_enum: EnumAccess;
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Heard<'_, A> {
    type Error = Said<A::Error>;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        take_up(self.beside, self.inner.next_element_seed(Heard { inner: seed, beside: self.beside }))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Heard<'_, A> {
    type Error = Said<A::Error>;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Self::Error> {
        take_up(self.beside, self.inner.next_key_seed(Heard { inner: seed, beside: self.beside }))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Self::Error> {
        take_up(self.beside, self.inner.next_value_seed(Heard { inner: seed, beside: self.beside }))
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'a, 'de, A: EnumAccess<'de>> EnumAccess<'de> for Heard<'a, A> {
    type Error = Said<A::Error>;
    type Variant = Heard<'a, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Self::Error> {
        let Self { inner, beside } = self;
        let (value, variant) = take_up(beside, inner.variant_seed(Heard { inner: seed, beside }))?;
        Ok((value, Heard { inner: variant, beside }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Heard<'_, A> {
    type Error = Said<A::Error>;

    fn unit_variant(self) -> Result<(), Self::Error> {
        take_up(self.beside, self.inner.unit_variant())
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Self::Error> {
        let Self { inner, beside } = self;
        take_up(beside, inner.newtype_variant_seed(Heard { inner: seed, beside }))
    }

    asks! {
        tuple_variant(len: usize);
        struct_variant(fields: &'static [&'static str]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::{Deserialize, Serialize};
    use std::collections::BTreeMap;

    /// One of each kind that serde knows; how it fails is said by what is decoded as a [`Fussy`].
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kinds<T> {
        Unit,
        New(T),
        Tuple(i8, T),
        Struct { flag: bool, inner: Option<T> },
        Many(Vec<T>, BTreeMap<char, T>, [T; 2], (f32, T)),
        Numbers((i8, i16, i32, i64, i128), (u8, u16, u32, u64, u128), (f32, f64)),
        Texts(String, char, Box<Kinds<T>>, Unit, ()),
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Unit;

    /// No number above 9.
    #[derive(Debug, PartialEq, Serialize)]
    struct Fussy(u8);

    impl<'de> Deserialize<'de> for Fussy {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            assert!(!deserializer.is_human_readable());
            match u8::deserialize(deserializer)? {
                n @ ..10 => Ok(Self(n)),
                n => Err(D::Error::custom(format_args!("{n} is too much for me"))),
            }
        }
    }

    fn kinds(n: u8) -> [Kinds<Fussy>; 7] {
        let map = |n| BTreeMap::from([('a', Fussy(0)), ('b', Fussy(n))]);
        [
            Kinds::New(Fussy(n)),
            Kinds::Tuple(-1, Fussy(n)),
            Kinds::Struct { flag: true, inner: Some(Fussy(n)) },
            Kinds::Many(vec![Fussy(0), Fussy(n)], map(0), [Fussy(0), Fussy(0)], (1.5, Fussy(0))),
            Kinds::Many(Vec::new(), map(n), [Fussy(0), Fussy(0)], (1.5, Fussy(0))),
            Kinds::Many(Vec::new(), map(0), [Fussy(0), Fussy(n)], (1.5, Fussy(0))),
            Kinds::Texts("text".to_owned(), 'c', Box::new(Kinds::New(Fussy(n))), Unit, ()),
        ]
    }

    #[test]
    fn wherever_it_lies_its_reason_is_heard() {
        for kind in kinds(77) {
            let bytes = postcard::to_stdvec(&kind).expect("it can be encoded");
            let said = Err("77 is too much for me".to_owned());
            assert_eq!(decode::<Kinds<Fussy>>(&bytes), said, "{kind:?}");
            assert_eq!(decode_once::<Kinds<Fussy>>(&bytes), said, "{kind:?}");
        }
    }

    #[test]
    fn who_listens_decodes_the_same() {
        let numbers = Kinds::Numbers((-1, -2, -3, -4, i128::MIN), (1, 2, 3, 4, u128::MAX), (0.5, -0.25));
        for kind in kinds(7).into_iter().chain([numbers, Kinds::Unit]) {
            let bytes = postcard::to_stdvec(&kind).expect("it can be encoded");
            assert_eq!(decode_once::<Kinds<Fussy>>(&bytes), Ok(kind));
        }
    }

    /// serde's derived code speaks, too; and postcard's own errors say it themselves.
    #[test]
    fn what_others_say() {
        let error = decode::<Kinds<Fussy>>(&[200, 1]).expect_err("there is no such variant");
        assert!(error.contains("variant index"), "{error}");
        let error = decode::<String>(&[9, b'x']).expect_err("it is cut");
        assert_eq!(error, postcard::Error::DeserializeUnexpectedEnd.to_string());
        assert_eq!(decode_once::<String>(&[9, b'x']), Err(error));
        let error = decode::<std::num::NonZero<u32>>(&[0]).expect_err("it is zero");
        assert!(error.contains("expected a nonzero u32"), "{error}");
    }
}
