//! Vectors of bytes and of floating-point numbers, in one piece. serde takes any vector apart, a call an element, which costs
//! nanoseconds a byte; files, images and embeddings are megabytes. The bytes are those that postcard makes of them: how many
//! elements, then each as it lies in memory.
use castaway::cast;
use std::mem::size_of;

/// Whether elements of this size lie in memory as postcard writes them.
const fn is_as_written(size: usize) -> bool {
    size == 1 || cfg!(target_endian = "little")
}

macro_rules! plain {
    ($($element:ty),*) => {
        /// How many elements a vector has, and their bytes; `None` if `value` is none of these vectors.
        pub(super) fn parts<T>(value: &T) -> Option<(usize, &[u8])> {
            $(
                if is_as_written(size_of::<$element>())
                    && let Ok(vector) = cast!(value, &Vec<$element>)
                {
                    return Some((vector.len(), bytemuck::cast_slice(vector)));
                }
            )*
            None
        }

        /// Such a vector from what was encoded. `None` if `T` is none, or if that is too short: postcard has words for it.
        pub(super) fn read<T>(encoded: &[u8]) -> Option<T> {
            let mut value = None::<T>;
            $(
                if is_as_written(size_of::<$element>())
                    && let Ok(vector) = cast!(&mut value, &mut Option<Vec<$element>>)
                {
                    *vector = elements(encoded);
                    return value;
                }
            )*
            None
        }
    };
}
plain!(u8, f32, f64);

fn elements<E: bytemuck::Pod>(encoded: &[u8]) -> Option<Vec<E>> {
    let (n, rest) = postcard::take_from_bytes::<usize>(encoded).ok()?;
    // before there is memory for them
    let bytes = rest.get(..n.checked_mul(size_of::<E>())?)?;
    // where they happen to be aligned, as bytes always are, at once
    let aligned = bytemuck::try_cast_slice(bytes).map(<[E]>::to_vec);
    let one_by_one = || bytes.chunks_exact(size_of::<E>()).map(bytemuck::pod_read_unaligned).collect();
    Some(aligned.unwrap_or_else(|_| one_by_one()))
}

#[cfg(test)]
mod tests {
    use super::super::why::decode;
    use super::super::wire::encode;
    use super::*;
    use serde::Serialize;
    use serde::de::DeserializeOwned;
    use std::fmt::Debug;

    /// As postcard has it, there and back; and what is cut is refused, wherever.
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
        let mut encoded = vec![7];
        encode(value, &mut encoded).expect("it can be encoded");
        assert_eq!(encoded.remove(0), 7, "it was appended");
        assert_eq!(encoded, postcard::to_stdvec(value).expect("it can be encoded"));
        assert_eq!(decode::<T>(&encoded).as_ref(), Ok(value));
        for length in 0..encoded.len() {
            assert_eq!(decode::<T>(&encoded[..length]), Err(postcard::Error::DeserializeUnexpectedEnd.to_string()));
        }
    }

    #[test]
    fn vectors_travel_as_postcard_has_them() {
        for n in [0, 1, 127, 128, 300] {
            check(&(0..n).map(|i| i as u8).collect::<Vec<_>>());
            check(&(0..n).map(|i| 1.5 - i as f32).collect::<Vec<_>>());
            check(&(0..n).map(|i| 1e300 / f64::from(i - 100)).collect::<Vec<_>>());
        }
        assert!(parts(&vec![1_u8]).is_some() && parts(&vec![1_u16]).is_none() && parts(&"1").is_none());
        check(&vec![1_u16, 2, 300]);
        check(&vec![vec![1_u8, 2], vec![3]]);
        check(&"text".to_owned());
    }

    /// Its length alone takes no memory.
    #[test]
    fn a_vector_that_promises_too_much_is_refused() {
        for n in [3, 1 << 40, usize::MAX] {
            let encoded = [postcard::to_stdvec(&n).expect("it can be encoded"), vec![1, 2]].concat();
            assert!(decode::<Vec<u8>>(&encoded).is_err() && decode::<Vec<f64>>(&encoded).is_err(), "{n}");
        }
    }
}
