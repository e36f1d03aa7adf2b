//! Every way to load.

/// Calls `$check!(name, pipeline)` for a loader of these arguments with each combination of `map` and `collate_map`. What
/// the arguments move is made anew each time.
macro_rules! in_every_mode {
    ($check:ident: $($args:tt)*) => {
        in_every_mode!(@ $check [$($args)*] serial, thread(workers = 2), thread(workers = 3, maxsize = 1),
            process(workers = 2), process(workers = 3, maxsize = 1))
    };
    (@ $check:ident $args:tt $($mode:ident $(($($options:tt)*))?),*) => {
        $(
            in_every_mode!(@@ $check $args [$mode $(($($options)*))?]);
        )*
    };
    (@@ $check:ident [$($args:tt)*] [$($map:tt)*]) => {
        $check!(stringify!($($map)*), tinypl::pipeline! { dataloader::load($($args)*, map = $($map)*) });
        $check!(stringify!($($map)*, serial),
            tinypl::pipeline! { dataloader::load($($args)*, map = $($map)*, collate_map = serial) });
        $check!(stringify!($($map)*, thread),
            tinypl::pipeline! { dataloader::load($($args)*, map = $($map)*, collate_map = thread(workers = 2)) });
        $check!(stringify!($($map)*, process),
            tinypl::pipeline! { dataloader::load($($args)*, map = $($map)*, collate_map = process(workers = 2)) });
    };
}
