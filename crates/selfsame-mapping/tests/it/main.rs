//! Cases that were answered by Segment's packages, and the documents.

mod cases;
mod documents;
