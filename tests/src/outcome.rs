//! What a pipeline gives before it ends.
use crate::children;
use tinypl::{Error, Pipe, Pipeline};

/// Pulls until the end, or the error.
pub fn outcome<P: Pipe>(pipe: &mut Pipeline<P>) -> (Vec<P::Item>, Option<Error>) {
    let mut items = Vec::new();
    loop {
        match pipe.try_next() {
            Ok(Some(x)) => items.push(x),
            Ok(None) => return (items, None),
            Err(error) => return (items, Some(error)),
        }
    }
}

/// Pulls until the end, or the error, which must be the same ever after, and leave no worker processes.
pub fn final_outcome<P: Pipe>(mut pipe: Pipeline<P>) -> (Vec<P::Item>, Option<Error>) {
    let (items, error) = outcome(&mut pipe);
    if let Some(error) = &error {
        assert_eq!(pipe.try_next().err().map(|again| again.to_string()), Some(error.to_string()));
        assert_eq!(children(), Vec::<u32>::new(), "processes outlive the error");
    }
    (items, error)
}
