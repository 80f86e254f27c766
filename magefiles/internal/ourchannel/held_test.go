package ourchannel

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/publish"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/settings"
)

// load returns a workspace with one package. The lines in more are added to its [workspace] table.
func load(t *testing.T, more string) *workspace.Workspace {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"pixi.toml":     "[workspace]\nchannels = []\nplatforms = []\n" + more,
		"lib/pixi.toml": "[package]\nname = \"lib\"\nversion = \"1.2.3\"\n[package.build]\nbackend = { name = \"pixi-build-cmake\", version = \"*\" }\n",
	} {
		require.NoError(t, os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o644))
	}
	w, err := workspace.Load(root)
	require.NoError(t, err)
	return w
}

// The channel name is read from PREFIX_CHANNEL or from the manifest. For a server on this machine, it defaults to a name made from the folder's
// name.
func TestNameOfOurChannel(t *testing.T) {
	const named = "name = \"team\"\n"
	const said = named + "[tool.release]\nchannel = \"ours\"\n"
	const manifest = "[tool.release] channel of pixi.toml"
	for _, c := range []struct {
		server, variable, text string
		want, from             string
	}{
		{text: said, want: "ours", from: manifest},
		{text: said, variable: "other", want: "other", from: "PREFIX_CHANNEL"},
		{text: named, want: "team", from: manifest},
		{text: named, variable: "other", want: "other", from: "PREFIX_CHANNEL"},
		{text: said, server: "http://localhost:8000", want: "ours", from: manifest},
		{text: "", variable: "other", want: "other", from: "PREFIX_CHANNEL"},
		{text: "", want: ""},
		{text: "", server: "https://conda.example.org", want: ""},
		{text: "", server: ":", want: ""},
	} {
		channels, w := New(Config{Server: c.server, Name: c.variable}), load(t, c.text)
		require.Equal(t, c.want, channels.NameOf(w), c)
		if c.from != "" {
			require.Equal(t, c.from, channels.namedIn(w), c)
		}
	}
	for _, server := range []string{"http://127.0.0.1:8000", "http://localhost:8000", "http://[::1]:8000"} {
		w := load(t, "")
		require.Equal(t, w.EmbeddedChannel(), New(Config{Server: server}).NameOf(w), server)
		require.NotEmpty(t, w.EmbeddedChannel())
	}
}

// If the channel has no name, only the manifests are shown, and doctor explains how to set a name.
func TestAChannelWithoutAName(t *testing.T) {
	_, channels, _ := asked(t)
	channels.Server = "https://conda.example.org"
	w := load(t, "name = \"No Name For A Channel\"\n")
	_, err := channels.Of(w)
	require.ErrorIs(t, err, ErrNoName)
	h, err := channels.Look(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, "lib", h.Packages[0].Name)
	require.False(t, h.Exists || h.Packages[0].There)
	require.Contains(t, h.Next(w), "write `channel = \"NAME\"` into [tool.release] of pixi.toml, or set PREFIX_CHANNEL")
	found := channels.Examine(t.Context(), w)
	require.Equal(t, "the channel's name", found[0].What)
	require.Equal(t, "a credential for https://conda.example.org", found[1].What)
	channels.Name = "-no-name"
	require.Equal(t, "correct it in PREFIX_CHANNEL", channels.Examine(t.Context(), w)[0].Get)
	channels.Server = "ftp://x"
	require.Equal(t, "correct PREFIX_SERVER_URL", channels.Examine(t.Context(), w)[0].Get)
}

// If nothing is visible on the channel, it has no release yet, or it is private and there is no credential that can read it.
func TestEmptyOrPrivateChannel(t *testing.T) {
	_, channels, _ := asked(t)
	channels.Name = "one"
	w := load(t, "name = \"team\"\n")
	h, err := channels.Look(t.Context(), w)
	require.NoError(t, err)
	require.Equal(t, channels.Server+"/one", h.Channel)
	require.False(t, h.Exists)
	require.Contains(t, h.Note, "normal before a first release.")
	require.Equal(t, h.Note, h.Missing(false))
	require.Equal(t, h.Note+"\nWhat to do: "+h.Next(w), h.Missing(true), "a job has no next step")
	require.Contains(t, h.Next(w), "`mage publish`, or `mage release -publish=here`: a server of this machine, such as `mage channel:serve`, makes the channel with the first upload")
	client, err := prefixdev.New(prefixdev.Options{Server: "https://conda.example.org"})
	require.NoError(t, err)
	require.Contains(t, firstRelease(w, client, "one"), "make the channel one on https://conda.example.org, and register the repository there")
	w.Config.Publish = settings.PublishHere
	require.Contains(t, firstRelease(w, client, "one"), "make the channel one on https://conda.example.org, and set PREFIX_API_KEY to a key that may publish to the channel")
	require.Contains(t, h.Note, "If the channel is private, set PREFIX_API_KEY to a key that can read the channel.")
	require.Contains(t, channels.Examine(t.Context(), w)[0].For, "does not exist yet or is empty")
}

// The next step depends on whether a version is missing from the channel, whether downstreams must be updated, or whether the next version can be
// planned.
func TestNextStepAfterTheChannel(t *testing.T) {
	w := load(t, "name = \"team\"\n")
	require.Equal(t, "`mage status`", Holding{Packages: []Held{{There: true}, {}}}.Next(w))
	require.Equal(t, "`mage version:plan -to=auto`", Holding{Packages: []Held{{There: true}}}.Next(w))
	has := Holding{Packages: []Held{{Name: "lib", Version: "1.2.3", There: true}}}
	for pin, want := range map[string]string{"": "`mage version:plan -to=auto`", "1.2.3": "`mage version:plan -to=auto`", "1.2.2": "`mage app:upgrade`"} {
		w.Downstreams = []*workspace.Downstream{{Requires: []workspace.Requirement{{Package: "lib", Pin: pin}}}}
		require.Equal(t, want, has.Next(w), pin)
	}
}

func TestNewestFirst(t *testing.T) {
	all := []string{"1.0", "not a version", "1.10", "1.9", "2.0rc1", "a release", "2.0"}
	slices.SortStableFunc(all, newer)
	require.Equal(t, []string{"2.0", "2.0rc1", "1.10", "1.9", "1.0", "not a version", "a release"}, all)
}

// A package has a row for each version on the channel, or a single row if there is none. Only the first row has the manifest's version.
func TestRowsForPeople(t *testing.T) {
	digest := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	h := Holding{
		Packages: []Held{
			{
				Name:    "a",
				Version: "2",
				There:   true,
				Versions: []publish.Published{
					{Version: "2", Subdir: "noarch", File: "a-2-0.conda", SHA256: digest},
					{Version: "1", Subdir: "noarch", File: "a-1-0.conda", SHA256: "short"},
				},
			},
			{Name: "b", Version: "3"},
		},
	}
	require.Equal(t, [][]string{
		{"a", "2", "2", "noarch/a-2-0.conda", "0123456789ab"},
		{"", "", "1", "noarch/a-1-0.conda", "short"},
		{"b", "3 (not on the channel)", "-", "", ""},
	}, h.Rows())
	for _, row := range h.Rows() {
		require.Len(t, row, len(Header))
	}
}
