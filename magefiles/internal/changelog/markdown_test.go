package changelog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestHostileSubjects checks that subjects are displayed as plain text.
func TestHostileSubjects(t *testing.T) {
	for subject, want := range map[string]string{
		"take `List<T>` and a_b, not **c**":           "take `List<T>` and a_b, not **c**",
		"[core] is faster (#12)":                      "[core] is faster (#12)",
		"<script>alert(1)</script>":                   "&lt;script>alert(1)&lt;/script>",
		"<img src=x onerror=y> `<b>` <i>":             "&lt;img src=x onerror=y> `<b>` &lt;i>",
		"[login](https://evil.example)":               `[login]\(https://evil.example)`,
		"![x](https://evil.example/track.png)":        `![x]\(https://evil.example/track.png)`,
		"[a]: https://evil.example":                   `[a]\: https://evil.example`,
		"<https://evil.example>":                      "&lt;https://evil.example>",
		"# a heading":                                 `\# a heading`,
		"1. a list":                                   `1\. a list`,
		"- [ ] a task":                                `\- [ ] a task`,
		"> a quotation":                               `\> a quotation`,
		"``` a fence":                                 "\\``` a fence",
		"an open ` tick <b>":                          "an open ` tick &lt;b>",
		"``code ` with <b>`` and <b>":                 "``code ` with <b>`` and &lt;b>",
		"escape \x1b[31mred\x07 and \u202egnp.exe \r": "escape [31mred and gnp.exe ",
		"3.12 is supported, and .gitignore, #12":      "3.12 is supported, and .gitignore, #12",
		"*all* of it":                                 "*all* of it",
		"thanks @octo and @acme/all, not a@b.example": "thanks `@octo` and `@acme/all`, not a@b.example",
		"@everyone: `@this` is code":                  "`@everyone`: `@this` is code",
		"(@octo) x/@y":                                "(`@octo`) x/@y",
		"---":                                         `\---`,
		"":                                            "",
	} {
		require.Equal(t, want, escapeMarkdown(subject), subject)
	}
}
