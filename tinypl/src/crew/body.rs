//! An item's bytes, as they are kept until it was answered. Few lie in place: a number would cost two allocations, which one
//! thread makes and another gives back.
use std::ops::Deref;
use std::sync::Arc;

/// So many lie in place.
const SHORT: usize = 22;

#[derive(Clone, Debug)]
pub(crate) enum Body {
    Short(u8, [u8; SHORT]),
    /// Shared by who writes it to a worker and whoever may have to do so again.
    Long(Arc<Vec<u8>>),
}

impl Body {
    /// What was written into a buffer, which is empty afterwards.
    pub(crate) fn take(buffer: &mut Vec<u8>) -> Self {
        if buffer.len() > SHORT {
            return Self::Long(Arc::new(std::mem::take(buffer)));
        }
        let mut bytes = [0; SHORT];
        bytes[..buffer.len()].copy_from_slice(buffer);
        let body = Self::Short(buffer.len() as u8, bytes);
        buffer.clear();
        body
    }
}

impl Deref for Body {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Short(length, bytes) => &bytes[..usize::from(*length)],
            Self::Long(bytes) => bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_kept_whatever_their_number() {
        for length in 0..100 {
            let bytes: Vec<u8> = (0..length).collect();
            let mut buffer = bytes.clone();
            let body = Body::take(&mut buffer);
            assert_eq!((&*body, &*body.clone(), buffer.len()), (&*bytes, &*bytes, 0));
        }
    }
}
