//! The pictures: as they were, and free of overlaps whatever the graph.
mod drawn;
mod pictures;
mod properties;
mod samples;
