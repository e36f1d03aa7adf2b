//! What can be sent to another process.
use serde::Serialize;
use serde::de::DeserializeOwned;

/// What travels between processes, by serde: `#[derive(serde::Serialize, serde::Deserialize)]` makes a type one that does.
/// What borrows doesn't; its owned form does, as a `String` for a `&str`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` can't travel between processes",
    label = "what goes to a worker process and comes back is serialised, and `{Self}` is not `Serialize` and `Deserialize`",
    note = "derive them, `#[derive(serde::Serialize, serde::Deserialize)]`; for what is borrowed send what is owned, as `String` for `&str`"
)]
pub trait Travels: Serialize + DeserializeOwned {}

#[diagnostic::do_not_recommend]
impl<T: Serialize + DeserializeOwned> Travels for T {}
