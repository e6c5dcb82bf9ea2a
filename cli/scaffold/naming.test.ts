import { expect, test } from "vitest";
import { go, goCamelCase } from "./languages/go.ts";
import { python } from "./languages/python.ts";
import { spellingsFor } from "./naming.ts";

const today = new Date("2026-03-04T23:00:00Z");
const spell = (service: string, thing?: string) => spellingsFor(service, { thing, root: "shop", today });

test.each([
  ["reviews", "Review", "reviews", "shop.reviews.v1"],
  ["wishlist", "Wishlist", "wishlists", "shop.wishlist.v1"],
  ["gift-cards", "GiftCard", "gift-cards", "shop.gift_cards.v1"],
  ["categories", "Category", "categories", "shop.categories.v1"],
  ["boxes", "Box", "boxes", "shop.boxes.v1"],
  ["purchases", "Purchase", "purchases", "shop.purchases.v1"],
  ["status", "Status", "statuses", "shop.status.v1"],
  ["address", "Address", "addresses", "shop.address.v1"],
  ["v2", "V2", "v2s", "shop.v2.v1"],
])("%s keeps a %s under /v1/%s", (service, Thing, path, package_) => {
  expect(spell(service)).toMatchObject({ Thing, path, package: package_ });
});

test("what it keeps may have another name", () => {
  expect(spell("ratings", "StarRating")).toMatchObject({
    name: "ratings",
    Thing: "StarRating",
    thing: "starRating",
    thing_: "star_rating",
    THING: "STAR_RATING",
    words_plural: "star ratings",
    a_words: "a star rating",
    stamp: "20260304000000",
  });
  expect(spell("invoices").a_words).toBe("an invoice");
});

test.each([
  ["", /NAME: "" must be/],
  ["Reviews", /lower-case/],
  ["re_views", /lower-case/],
  ["-reviews", /lower-case/],
  ["re--views", /lower-case/],
  ["1st", /lower-case/],
  ["../evil", /lower-case/],
  ["x".repeat(41), /at most 40/],
  ["edge", /"edge" is reserved/],
  ["postgres", /reserved/],
  ["google", /would hide the package "google"/],
  ["weft", /would hide the package "weft"/],
  ["shop", /would hide the package "shop"/],
  ["order-2", /replicas are called/],
  ["class", /reserved word/],
  ["news", /--thing: "New"/],
  ["maps", /--thing: "Map" has a meaning/],
  ["promises", /--thing: "Promise"/],
])("%s is refused with the reason", (service, message) => {
  expect(() => spell(service)).toThrow(message);
});

test.each(["google", "weft", "Shop", "my-shop"])("the package %j is refused", (root) => {
  expect(() => spellingsFor("reviews", { root, today })).toThrow(/--package/);
});

test.each(["review", "Re view", "GIFT-Card", "", "X".repeat(41)])("the thing %j is refused", (thing) => {
  expect(() => spell("reviews", thing)).toThrow(/--thing/);
});

test.each([
  ["Review", "Review"],
  ["gift_card", "GiftCard"],
  ["V2made", "V2Made"],
  ["top_10x", "Top_10X"],
])("%s is called %s by protoc-gen-go", (name, inGo) => {
  expect(goCamelCase(name)).toBe(inGo);
});

test.each(["internal", "gift-windows", "unit-test"])("%s is refused in Go", (name) => {
  expect(go.refuses?.(spell(name))).toMatch(/^NAME: /);
  expect(go.refuses?.(spell("windows"))).toBeUndefined();
});

test.each(["pass", "lambda", "nonlocal", "a"])("%s is refused in Python", (name) => {
  expect(python.refuses?.(spell(name))).toMatch(/is a reserved word of Python$/); // of "a" the plural is
  expect(python.refuses?.(spell("passes"))).toBeUndefined();
});
