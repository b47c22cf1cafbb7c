"""Hunts: the query that finds in Elasticsearch what a rule is true of.

A hunt is made of the compiled predicate, not of the rule's text, so it means what the engine means. `fields`
and `numbers` say a test about the columns that documents have, `translate` puts a whole predicate together,
`lucene` and `esql` write it down.

**The law**: a hunt finds every document of an event that the rule is true of. It may find more, and then it
says what: a test that the language cannot express is left out where it only narrows, and texts that stand
otherwise in the index than in memory (`oddities`) are found whatever they are.
"""
