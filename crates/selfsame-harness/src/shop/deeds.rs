//! What people do in the shop: the names of its events, and what each says.

/// One kind of event.
#[derive(Debug)]
pub(crate) struct Deed {
    /// The name by which definitions know it.
    pub(crate) name: &'static str,
    /// How many of a thousand.
    pub(crate) weight: u64,
    /// Its number, and from where to where that lies.
    pub(crate) number: &'static str,
    pub(crate) range: (u64, u64),
    /// Its text, and what that may be, the first the most often.
    pub(crate) text: &'static str,
    pub(crate) values: &'static [&'static str],
}

/// Departments of the shop.
pub(crate) const CATEGORIES: &[&str] =
    &["shoes", "shirts", "garden", "kitchen", "toys", "books", "bikes", "tools"];

/// What the shop sends, the most frequent first. The first is a page, the others are tracks.
pub(crate) const DEEDS: [Deed; 12] = [
    deed("Page Viewed", 260, "scroll", (1, 100), "section", CATEGORIES),
    deed("Product Viewed", 270, "price", (5, 300), "category", CATEGORIES),
    deed("Products Searched", 90, "results", (0, 200), "term", TERMS),
    deed("Product Added", 110, "price", (5, 300), "category", CATEGORIES),
    deed("Cart Viewed", 70, "total", (5, 900), "currency", &["EUR", "USD", "GBP"]),
    deed("Checkout Started", 45, "total", (5, 900), "payment", &["card", "invoice", "transfer"]),
    deed("Order Completed", 40, "total", (5, 900), "coupon", COUPONS),
    deed("Coupon Applied", 20, "discount", (1, 50), "coupon", COUPONS),
    deed("Email Opened", 50, "position", (1, 10), "campaign", CAMPAIGNS),
    deed("Product Reviewed", 15, "rating", (1, 6), "category", CATEGORIES),
    deed("Product Removed", 25, "price", (5, 300), "category", CATEGORIES),
    deed("Order Refunded", 5, "total", (5, 900), "reason", &["size", "late", "broken", "other"]),
];

const TERMS: &[&str] = &["trainers", "lamp", "tent", "novel", "drill", "gift", "blue", "sale"];
const COUPONS: &[&str] = &["none", "WELCOME", "SPRING", "FRIENDS"];
const CAMPAIGNS: &[&str] = &["weekly", "winback", "launch", "birthday"];

const fn deed(
    name: &'static str,
    weight: u64,
    number: &'static str,
    range: (u64, u64),
    text: &'static str,
    values: &'static [&'static str],
) -> Deed {
    Deed { name, weight, number, range, text, values }
}
