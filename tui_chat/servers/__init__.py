"""Which servers there are, what they offer, and how each is spoken to.

    backend ── a server to talk to, by verbs: models, reply, pull ... Finds out the dialect at the first use
      ├─ probe ── what a server is, by its answers
      ├─ dialects/ ── a file and a row of the table each: what to ask for a verb, how to read the answer
      └─ client ── HTTP to one server: the only importer of httpx, deadlines, secrets hidden in every error

A reply takes this way: bytes ─▶ `client.Incoming.next` ─▶ the dialect's decoder, sans I/O ─▶ events. A new dialect
is a file with a `DIALECT` (`dialect.Dialect`) and its row in `dialects.TABLE`; a new verb is a field of `Dialect`,
one function in the files of those who have it, and one method of `HttpBackend`.
"""
