"""What is offered: products, listings with their price checks and photos, stock and its holds, search.

Tables: product, listing, stock, hold, listing_card, search_term, search_posting.
Invariants: 0 <= held <= on_hand for every lot, by CHECK; a published listing has passed the price check whose ids it
carries (none where no rule speaks of such goods); the card and the postings of a listing are those of its present
state, because the same transaction writes them.
"""
