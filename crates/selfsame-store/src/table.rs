//! The tables. A table is a keyspace of the engine; keys sort by their bytes.

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// A table of the state store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $($(#[$doc])* $name,)+ }

        impl Table {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name on disk.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

tables! {
    /// One row per fact about the whole state: the position of the checkpoint, the configuration,
    /// the counters. Written only by the batch that ends a checkpoint.
    Meta = "meta";
    /// space, identifier key -> whose it is. Exactly as of the checkpoint.
    Identifiers = "identifiers";
    /// space, component -> its members, or the component it was merged into. Exactly as of the
    /// checkpoint.
    Components = "components";
    /// space, component, number -> one piece of evidence: a merge, or identifiers seen together.
    /// Exactly as of the checkpoint.
    Evidence = "evidence";
    /// space, anchor -> what was folded under it. Each row says up to which record.
    Sections = "sections";
    /// space, anchor, number -> a full piece of the timeline.
    Chunks = "chunks";
    /// space, trait, value, anchor -> nothing: the index over declared traits.
    TraitIndex = "trait_index";
    /// source, day, number -> an event that was set aside. Bounded per source and day.
    Rejected = "rejected";
    /// space, number -> a limit, block or duplicate that an event met. Bounded per space.
    Insights = "insights";
}

impl Table {
    /// The table's place in [`Table::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
