"""Who is told what when something happened: one mail per fact and person, in their language, whatever runs twice.

Owns `notification` and `notification_preference`. Capabilities announce facts; this one decides who hears of them and in
which words (`letters.toml` and the catalogues). Above everything, known by nothing below.
"""
