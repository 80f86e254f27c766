package gitsettings_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/rehearsal/gitsettings"
)

// Settings that affect commits are kept and written in git's format. Settings that redirect git elsewhere, or that make it sign, are dropped.
func TestSettingsThatAreKept(t *testing.T) {
	settings := gitsettings.Read("user.name\nA \"B\"\x00Commit.Template\n/t\x00alias.x y.z\n!a\\b\x00core.quotePath\x00remote.origin.url\nhttps://x\x00" +
		"url.git@x.insteadOf\nhttps://x\x00core.hooksPath\n/h\x00commit.gpgsign\ntrue\x00nothing\n1\x00")
	require.Equal(t, `[user]
	name = "A \"B\""
[Commit]
	Template = "/t"
[alias "x y"]
	z = "!a\\b"
[core]
	quotePath = "true"
`, gitsettings.Write(settings))
}

func TestWhoSigns(t *testing.T) {
	for listed, want := range map[string]bool{
		"":                          false,
		"commit.gpgsign\ntrue\x00":  true,
		"commit.gpgSign\x00":        true,
		"tag.gpgsign\nyes\x00":      true,
		"tag.forceSignAnnotated\n1": true,
		"commit.gpgsign\noff\x00":   false,
		"commit.gpgsign\x00commit.gpgsign\nfalse\x00": false,
		"gpg.program\ntrue\x00":                       false,
	} {
		require.Equal(t, want, gitsettings.Signs(gitsettings.Read(listed)), listed)
	}
}
