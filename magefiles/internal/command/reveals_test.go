package command

import (
	"encoding/base64"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// A secret from the environment is found in a text in every encoding that programs write. A secret that is an ordinary word is not.
func TestReveals(t *testing.T) {
	const secret = "s3cret/of+twenty=characters"
	env := []string{"HOME=/home/someone-with-a-long-name", "DB_PASSWORD=postgres", "NPM_TOKEN=" + secret, "INDEX=https://me:another-long-password@host/simple"}
	for text, want := range map[string]string{
		"nothing of it, and postgres of /home/someone-with-a-long-name": "",
		"x " + secret + " y":                                        "NPM_TOKEN",
		"x=" + url.QueryEscape(secret):                              "NPM_TOKEN",
		base64.StdEncoding.EncodeToString([]byte("user:" + secret)): "NPM_TOKEN",
		"ftp://you:another-long-password@elsewhere":                 "INDEX",
	} {
		require.Equal(t, want, Reveals([]byte(text), env), text)
	}
}
