"""What the demo says: replies chosen by words in the prompt, always the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Reply:
    """A scripted reply."""

    thinking: str
    """For the model that thinks first."""
    text: str


_TOUR: Final = Reply(
    thinking=(
        "The user wants to see what this terminal can show. There is no model behind me, so I had better be "
        "honest about that. One of each: a heading, lists, code, a table, a quote, a link, a formula. "
        "Short enough to read, long enough to scroll."
    ),
    text="""\
# Hello from the demo

I am **not a language model**: I am a small script inside of tui-chat, so that you can look around \
before you point it at a real one. Everything here takes the *same way* as a real reply, token by token, \
through `asyncio` and the Markdown view.

## What you can do

1. Ask me anything; the answer will be about this demo.
   - `Esc` stops a reply, and what came stays.
   - `Ctrl+R` continues it from there.
2. Scroll up while I write. The text stays where you read.
3. Ask *what a bounded queue is*, or for *a long story*.

- [x] Streams as it comes
- [x] Draws Markdown while it streams
- [ ] Replaces your own Ollama

## A little code

```python
from collections import deque


def last_words(lines, count=3):
    \"\"\"The last few lines, however many there are.\"\"\"
    return list(deque(lines, maxlen=count))
```

## A little of everything

| Key | What it does | Since |
|:----|:-------------|------:|
| Enter | sends | 0.1 |
| Ctrl+J | starts a new line | 0.1 |
| Ctrl+P | shows all commands | 0.1 |

> A terminal is a place where text is enough.
>
> > And where a quote can hold another.

Maths stays readable: $e^{i\\pi} + 1 = 0$, and with a line of its own,

$$\\sum_{k=1}^{n} k = \\frac{n(n+1)}{2}$$

Links are shown and never opened by themselves: [the Ollama project](https://ollama.com). \
~~Old text~~ is struck out, and emoji keep their width: 🙂 👩‍🚀 日本語.

---

That is the tour. Install Ollama, run `ollama pull qwen3:0.6b`, start `tui-chat` again, and I am gone.
""",
)

_QUEUE: Final = Reply(
    thinking=(
        "A bounded queue. The key is what happens when it is full: the producer waits. Go shows it in one line, "
        "since a buffered channel is exactly that. I should name the trade-off too."
    ),
    text="""\
A **bounded queue** holds at most a fixed number of items. When it is full, whoever wants to add one has to \
*wait*, or is told no. So a fast producer cannot bury a slow consumer: the wait is the **back-pressure**.

In Go a buffered channel is one:

```go
q := make(chan int, 16)

go func() {
	for i := 0; i < 100; i++ {
		q <- i // waits while 16 items are in it
	}
	close(q)
}()

for item := range q {
	fmt.Println(item)
}
```

| | Bounded | Unbounded |
|---|---|---|
| Memory | fixed | as much as it takes |
| When full | the producer waits | never full |
| Under load | slows down | falls over later |

Choose the size by how uneven the work is, not by how much of it there is: a queue that is always full only \
hides that the consumer is too slow.

*(This is tui-chat's demo: a scripted reply, no model was asked.)*
""",
)

_HELLO: Final = Reply(
    thinking="A greeting. Greet back, and say what I am.",
    text=(
        "Hello! 👋 I am tui-chat's built-in **demo**, so my answers are scripted. Ask me for a *tour*, "
        "*what a bounded queue is*, or *a long story*."
    ),
)

_CHAPTERS: Final = 40


def _story() -> Reply:
    chapters = [
        f"## Chapter {number}\n\n"
        f"On day {number} the cursor came to line {number * 24}. It looked back once, and there were "
        f"{number * 24 - 1} lines behind it, each of them shorter than a thought. *Blink*, it said, and went on.\n"
        for number in range(1, _CHAPTERS + 1)
    ]
    ending = "The end. *(And that was tui-chat's demo: scripted, no model was asked.)*\n"
    return Reply(
        thinking="A long story, so that there is something to scroll. It needs a hero: the cursor.",
        text="\n".join(["# The long way of a cursor\n", *chapters, ending]),
    )


_BY_WORDS: Final = (
    (re.compile(r"\bqueues?\b", re.I), _QUEUE),
    (re.compile(r"\b(long|story|scroll)\b", re.I), _story()),
    (re.compile(r"^\W*(hi|hello|hey|good (morning|evening))\b", re.I), _HELLO),
)
_TOKEN: Final = re.compile(r"\s*\w{1,8}|\s*[^\w\s]|\s+")


def reply_to(prompt: str) -> Reply:
    """The reply to `prompt`: the tour, unless a word in it asks for another."""
    return next((reply for words, reply in _BY_WORDS if words.search(prompt)), _TOUR)


def tokens_of(text: str) -> list[str]:
    """`text` in pieces as a model would make them; joined they are the text."""
    return _TOKEN.findall(text)
