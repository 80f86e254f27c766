package ourchannel

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/command"
	"github.com/foopack/foopack/magefiles/internal/localprefix"
)

// channel:serve makes `git add .` ignore its default folder. It does not change a folder that the user names.
func TestServedChannelsAreNotCommitted(t *testing.T) {
	for dir, ignored := range map[string]bool{"": true, "mine": false, "output/mine": false} {
		here := t.TempDir()
		s := Serving{
			Dir:    dir,
			Here:   here,
			Runner: command.NewSystem(os.Environ(), nil),
			Start:  func(localprefix.Options) (*localprefix.Server, error) { return nil, errors.New("begun") },
		}
		if dir != "" {
			s.Dir = filepath.Join(here, dir)
		}
		require.ErrorContains(t, New(Config{}).Serve(t.Context(), s), "begun")
		for _, folder := range []string{"", dir, "output"} {
			_, err := os.Stat(filepath.Join(here, folder, ".gitignore"))
			require.Equal(t, ignored && folder == "output", err == nil, "%q in %q", folder, dir)
		}
	}
}
