//! What the crate says of the filters that Segment's packages are asked about, too.

mod fql;
