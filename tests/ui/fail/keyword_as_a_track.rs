use tinypl::pipeline;

fn main() {
    pipeline! { let match = range(9); }
}
