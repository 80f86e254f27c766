package available

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/channel"
	"github.com/foopack/foopack/magefiles/internal/condapkg"
	"github.com/foopack/foopack/magefiles/internal/image/imagetest"
)

// standIn is an in-memory channel that records its requests. If lagging is set, its sharded index is out of date.
type standIn struct {
	url     string
	records map[string][]condapkg.Record // by subdir
	lagging bool
	broken  error
	asked   []string
}

func (s *standIn) URL() string { return s.url }

func (s *standIn) Records(_ context.Context, subdir string, names ...string) ([]condapkg.Record, error) {
	s.asked = append(s.asked, "records of "+subdir+": "+strings.Join(names, " "))
	return s.read(subdir, names)
}

func (s *standIn) read(subdir string, names []string) (found []condapkg.Record, err error) {
	if s.broken != nil {
		return nil, s.broken
	}
	if s.records[subdir] == nil {
		return nil, channel.ErrNotFound
	}
	for _, r := range s.records[subdir] {
		if slices.Contains(names, r.Name) {
			found = append(found, r)
		}
	}
	return found, nil
}

func (s *standIn) Forms(_ context.Context, subdir string, names ...string) []channel.Form {
	s.asked = append(s.asked, "forms of "+subdir+": "+strings.Join(names, " "))
	records, err := s.read(subdir, names)
	if errors.Is(err, channel.ErrNotFound) {
		return []channel.Form{{Name: "repodata.json"}, {Name: "shards"}}
	}
	forms := []channel.Form{{Name: "repodata.json", Offered: true, Records: records}, {Name: "shards", Offered: true, Records: records}}
	if s.lagging {
		forms[1].Records = nil
	}
	return forms
}

// opener returns an Opener for these stand-ins, by their URL. Any other channel is an *UnreadError.
func opener(channels ...*standIn) Opener {
	return func(_ context.Context, name string) (Index, error) {
		for _, c := range channels {
			if c.url == name {
				return c, nil
			}
		}
		return nil, &UnreadError{Address: name}
	}
}

func rec(name, version string, depends ...string) condapkg.Record {
	return condapkg.Record{Index: condapkg.Index{Name: name, Version: version, Depends: depends}}
}

// channels returns our channel, which contains lib, and another channel.
func channels() (ours, others *standIn) {
	ours = &standIn{
		url: "https://channels.example/ours",
		records: map[string][]condapkg.Record{
			"noarch": {rec("lib", "0.9.0"), rec("lib", "1.0.0", "numpy >=1.26", "__linux", "python >=3.11")},
		},
	}
	others = &standIn{
		url: "https://channels.example/others",
		records: map[string][]condapkg.Record{
			"linux-64":      {rec("python", "3.11.7"), rec("numpy", "2.0")},
			"linux-aarch64": {rec("python", "3.11.7"), rec("numpy", "2.0"), rec("special", "1")},
		},
	}
	return ours, others
}

var both = []string{"linux/amd64", "linux/arm64"}

func TestPackages(t *testing.T) {
	d := imagetest.Load(t, imagetest.Monorepo)
	said, err := Check(t.Context(), d, opener(first(channels())...), both, nil)
	require.NoError(t, err)
	require.Equal(t, "1 pin and 3 names, for linux/amd64 and linux/arm64", said)

	for _, c := range []struct {
		what   string
		change func(ours, others *standIn)
		err    string
	}{
		{"a version that is not published", func(ours, _ *standIn) { ours.records["noarch"] = ours.records["noarch"][:1] }, "app/pixi.toml:7:1: lib 1.0.0 is not visible on https://channels.example/ours for linux-64"},
		{"one that not every index shows", func(ours, _ *standIn) { ours.lagging = true }, "app/pixi.toml:7:1: lib 1.0.0 is not visible on https://channels.example/ours in shards for linux-64"},
		{"a channel that is not there", func(ours, _ *standIn) { ours.records = nil }, "app/pixi.toml:7:1: lib 1.0.0 is not visible on https://channels.example/ours, https://channels.example/others for linux-64"},
		{"a package of one platform only", func(_, others *standIn) { others.records["linux-aarch64"] = others.records["linux-aarch64"][:2] }, "app/pixi.toml:10:1 requires special, but no channel has this package for linux-aarch64; these channels were searched: https://channels.example/ours, https://channels.example/others"},
		{"what a pinned package asks for", func(_, others *standIn) { others.records["linux-64"] = others.records["linux-64"][:1] }, "lib 1.0.0 requires numpy, but no channel has this package for linux-64; these channels were searched: https://channels.example/ours, https://channels.example/others"},
		{"a channel that does not answer", func(_, others *standIn) { others.broken = errors.New("no route") }, "asking https://channels.example/others for python: no route"},
		{
			what: "another version on a channel of lower priority",
			change: func(_, others *standIn) {
				others.records["noarch"] = []condapkg.Record{rec("lib", "2.0.0")}
			},
			err: "",
		},
		{
			what: "the version only on a channel of lower priority",
			change: func(ours, others *standIn) {
				ours.records["noarch"], others.records["noarch"] = ours.records["noarch"][:1], ours.records["noarch"][1:]
			},
			err: "app/pixi.toml:7:1: lib 1.0.0 is not visible on https://channels.example/ours for linux-64",
		},
	} {
		ours, others := channels()
		c.change(ours, others)
		_, err := Check(t.Context(), d, opener(ours, others), both, nil)
		if c.err == "" {
			require.NoError(t, err, c.what)
			continue
		}
		require.EqualError(t, err, c.err, c.what)
	}
}

func first(ours, others *standIn) []*standIn { return []*standIn{ours, others} }

// Each subdir of a channel is queried once per round, because a server without a sharded index sends its whole index for any query. It is queried
// only for names that no channel of higher priority has.
func TestEachChannelIsQueriedOncePerRound(t *testing.T) {
	ours, others := channels()
	_, err := Check(t.Context(), imagetest.Load(t, imagetest.Monorepo), opener(ours, others), both, nil)
	require.NoError(t, err)
	require.Equal(t, []string{
		"records of linux-64: lib python", "records of noarch: lib python special", "records of linux-aarch64: lib python special",
		"forms of linux-64: lib", "forms of noarch: lib", "forms of linux-aarch64: lib",
		"records of linux-64: numpy", "records of noarch: numpy", "records of linux-aarch64: numpy",
	}, ours.asked)
	require.Equal(t, []string{
		"records of linux-64: python", "records of noarch: python special", "records of linux-aarch64: python special",
		"records of linux-64: numpy", "records of noarch: numpy", "records of linux-aarch64: numpy",
	}, others.asked)
}

// The requirements of a pinned package are found in every syntax that a pin or a requirement may use.
func TestDependsOfAPin(t *testing.T) {
	for _, c := range []struct {
		what, pin string
		builds    [][]string
		err       string
	}{
		{"another spelling of the version", "==1.0", [][]string{{"nothing >=1"}}, "lib 1.0.0 requires nothing, but no channel has this package for linux-64"},
		{"no blank", "==1.0.0", [][]string{{"numpy>=1.26", "python"}}, ""},
		{"no blank, and a name that is not there", "==1.0.0", [][]string{{"nothing>=1.26"}}, "lib 1.0.0 requires nothing, but no channel has this package for linux-64"},
		{"brackets", "==1.0.0", [][]string{{"numpy[version='>=1']"}}, ""},
		{"a channel", "==1.0.0", [][]string{{"conda-forge::numpy >=1"}}, ""},
		{"upper case", "==1.0.0", [][]string{{"NumPy >=1"}}, ""},
		{"a condition", "==1.0.0", [][]string{{"nothing; if osx"}}, ""},
		{"a build that can be had", "==1.0.0", [][]string{{"nothing"}, {"numpy"}}, ""},
		{"no build that can be had", "==1.0.0", [][]string{{"numpy", "nothing"}, {"other"}}, "lib 1.0.0 requires nothing, but no channel has this package for linux-64"},
	} {
		ours, others := channels()
		ours.records["noarch"] = nil
		for _, depends := range c.builds {
			ours.records["noarch"] = append(ours.records["noarch"], rec("lib", "1.0.0", depends...))
		}
		d := imagetest.Load(t, strings.Replace(imagetest.Monorepo, "lib = \"==1.0.0\"", "lib = \""+c.pin+"\"", 1))
		_, err := Check(t.Context(), d, opener(ours, others), both, nil)
		if c.err == "" {
			require.NoError(t, err, c.what)
			continue
		}
		require.ErrorContains(t, err, c.err, c.what)
	}
}

// Check uses the channels of the environment, which include a feature's channels, and the channel that a requirement sets for itself.
func TestChannelsOfTheEnvironment(t *testing.T) {
	theirs := &standIn{url: "https://channels.example/theirs", records: map[string][]condapkg.Record{"noarch": {rec("extra", "1"), rec("python", "3.9")}}}
	for _, c := range []struct{ tables, err string }{
		{"[feature.more]\nchannels = [\"https://channels.example/theirs\"]\n[feature.more.dependencies]\nextra = \"*\"\n[environments]\ndefault = [\"more\"]\n", ""},
		{"[feature.more.dependencies]\nextra = \"*\"\n[environments]\ndefault = [\"more\"]\n", "requires extra, but no channel has this package for linux-64; these channels were searched: https://channels.example/ours, https://channels.example/others"},
		{"[feature.more.dependencies]\nextra = { version = \"*\", channel = \"https://channels.example/theirs\" }\n[environments]\ndefault = [\"more\"]\n", ""},
		{"[feature.more.dependencies]\nnumpy = { version = \"*\", channel = \"https://channels.example/theirs\" }\n[environments]\ndefault = [\"more\"]\n", "requires numpy, but no channel has this package for linux-64; these channels were searched: https://channels.example/theirs"},
		{"[feature.more]\nplatforms = [\"linux-64\"]\n[environments]\ndefault = [\"more\"]\n", "the environment default of app/pixi.toml does not support linux-aarch64"},
		{"[feature.more.dependencies]\nnowhere = { path = \".\" }\n[environments]\ndefault = [\"more\"]\n", ""}, // built from source
	} {
		ours, others := channels()
		d := imagetest.Load(t, strings.Replace(imagetest.Monorepo, "[tasks]", c.tables+"[tasks]", 1))
		_, err := Check(t.Context(), d, opener(ours, others, theirs), both, nil)
		if c.err == "" {
			require.NoError(t, err, c.tables)
			continue
		}
		require.ErrorContains(t, err, c.err, c.tables)
	}
}

// If a name may be on a channel that this program cannot read, the name is left to the solver, and the evidence lists it.
func TestUnreadableChannel(t *testing.T) {
	const ours, others, folder = `"https://channels.example/ours"`, `"https://channels.example/others"`, `"file:///srv/channel"`
	onlyOld := func(ours, _ *standIn) { ours.records["noarch"] = ours.records["noarch"][:1] }
	withoutSpecial := func(_, others *standIn) { others.records["linux-aarch64"] = others.records["linux-aarch64"][:2] }
	for _, c := range []struct {
		what, channels string
		change         func(ours, others *standIn)
		evidence, err  string
	}{
		{"needed for nothing", ours + "," + others + "," + folder, nil, "1 pin and 3 names, for linux/amd64 and linux/arm64", ""},
		{"before the others", folder + "," + ours + "," + others, nil, "1 pin and 3 names, for linux/amd64 and linux/arm64; nothing was looked for on file:///srv/channel", ""},
		{"may have a name", ours + "," + others + "," + folder, withoutSpecial, "1 pin and 2 names, for linux/amd64 and linux/arm64; special not looked for on file:///srv/channel", ""},
		{"may have what a pin asks for", ours + "," + folder, nil, "1 pin and 0 names, for linux/amd64 and linux/arm64; python, special, numpy not looked for on file:///srv/channel", ""},
		{"may have the version", folder + "," + ours + "," + others, onlyOld, "0 pins and 2 names, for linux/amd64 and linux/arm64; lib not looked for on file:///srv/channel", ""},
		{"cannot have the version", ours + "," + others + "," + folder, onlyOld, "", "app/pixi.toml:7:1: lib 1.0.0 is not visible on https://channels.example/ours for linux-64"},
		{"alone", folder, nil, "0 pins and 0 names, for linux/amd64 and linux/arm64; lib, python, special not looked for on file:///srv/channel", ""},
		{"none", "", nil, "", "app/pixi.toml:7:1 requires lib, but app/pixi.toml lists no channels"},
	} {
		ours, others := channels()
		if c.change != nil {
			c.change(ours, others)
		}
		archive := strings.Replace(imagetest.Monorepo, `["https://channels.example/ours", "https://channels.example/others"]`, "["+c.channels+"]", 1)
		if c.channels == "" {
			archive = imagetest.Monorepo // without channels, the manifest would not load as a downstream
		}
		d := imagetest.Load(t, archive)
		if c.channels == "" {
			d.Manifest.Channels = nil
		}
		said, err := Check(t.Context(), d, opener(ours, others), both, nil)
		require.Equal(t, c.evidence, said, c.what)
		if c.err == "" {
			require.NoError(t, err, c.what)
			continue
		}
		require.EqualError(t, err, c.err, c.what)
	}
}

func TestChannelThatRequiresALogin(t *testing.T) {
	for _, refusal := range []error{channel.ErrUnauthorized, channel.ErrForbidden} {
		ours, others := channels()
		ours.broken = fmt.Errorf("reading the index: %w", refusal)
		_, err := Check(t.Context(), imagetest.Load(t, imagetest.Monorepo), opener(ours, others), both, nil)
		require.ErrorIs(t, err, refusal)
		require.EqualError(t, err, "https://channels.example/ours requires a login for looking up lib, python: reading the index: "+refusal.Error())
		require.Contains(t, fmt.Sprintf("%+v", err), "RATTLER_AUTH_FILE")
	}
}

func TestLockFileHasEveryPlatform(t *testing.T) {
	const lock = `version: 7
environments:
  default:
    packages:
      linux-64:
      - conda: https://channels.example/ours/noarch/lib-1.0.0-pyh4616a5c_0.conda
      - conda: https://channels.example/ours/noarch/lib-extras-2.0.0-pyh4616a5c_0.conda
      - conda: https://channels.example/others/linux-64/python-3.11.7-h0_0.conda
      - conda: ./packages/here
      - pypi: https://pypi.example/lib-3.0.0-py3-none-any.whl
`
	locked := func(archive, lock, platform string) error {
		e, err := newEnvironment(imagetest.Load(t, archive), platform)
		require.NoError(t, err)
		if lock == "" {
			return e.checkLock("app/pixi.lock", nil)
		}
		return e.checkLock("app/pixi.lock", []byte(lock))
	}
	pinned := func(pin string) string {
		return strings.Replace(imagetest.Monorepo, "lib = \"==1.0.0\"", "lib = \""+pin+"\"", 1)
	}
	aarch64 := strings.Replace(strings.Replace(imagetest.Monorepo, "lib = \"==1.0.0\"\n", "", 1), "special = \"*\"", "lib = \"==0.9.0\"", 1)
	for _, c := range []struct{ what, archive, lock, platform, err string }{
		{"as it is", imagetest.Monorepo, lock, "linux/amd64", ""},
		{"no lock file", imagetest.Monorepo, "", "linux/amd64", ""},
		{"no such platform", imagetest.Monorepo, lock, "linux/arm64", "app/pixi.lock has no packages for linux-aarch64"},
		{"another version", imagetest.Monorepo, strings.Replace(lock, "lib-1.0.0-", "lib-0.9.0-", 1), "linux/amd64", "app/pixi.lock lacks lib 1.0.0 for linux-64, although app/pixi.toml:7:1 pins this version"},
		{"a version that begins like it", imagetest.Monorepo, strings.Replace(lock, "lib-1.0.0-", "lib-1.0.0.1-", 1), "linux/amd64", "app/pixi.lock lacks lib 1.0.0 for linux-64, although app/pixi.toml:7:1 pins this version"},
		{"a name that begins like it", imagetest.Monorepo, strings.Replace(lock, "/lib-1.0.0-", "/a-lib-1.0.0-", 1), "linux/amd64", "app/pixi.lock lacks lib 1.0.0 for linux-64, although app/pixi.toml:7:1 pins this version"},
		{"another spelling of the version", pinned("==1.0"), lock, "linux/amd64", ""},
		{"no pin", pinned(">=2"), lock, "linux/amd64", ""},
		{"the old format", imagetest.Monorepo, strings.Replace(lock, "c_0.conda", "c_0.tar.bz2", 1), "linux/amd64", ""},
		{"a path", imagetest.Monorepo, strings.Replace(lock, "https://channels.example/ours/noarch/lib-1.0.0-", "../output/noarch/lib-1.0.0-", 1), "linux/amd64", ""},
		{"a pin of another platform", aarch64, lock, "linux/amd64", ""},
		{"the pin of the platform", aarch64, strings.Replace(lock, "linux-64:\n", "linux-aarch64:\n", 1), "linux/arm64", "app/pixi.lock lacks lib 0.9.0 for linux-aarch64, although app/pixi.toml:9:1 pins this version"},
	} {
		err := locked(c.archive, c.lock, c.platform)
		if c.err == "" {
			require.NoError(t, err, c.what)
			continue
		}
		require.EqualError(t, err, c.err, c.what)
	}
	require.ErrorContains(t, locked(imagetest.Monorepo, "\t", "linux/amd64"), "reading app/pixi.lock")

	ours, others := channels()
	_, err := Check(t.Context(), imagetest.Load(t, imagetest.Monorepo), opener(ours, others), both, []byte(lock))
	require.EqualError(t, err, "app/pixi.lock has no packages for linux-aarch64")
	require.Empty(t, ours.asked)
}

func TestConfig(t *testing.T) {
	c, err := ParsePixiConfig("config.toml", []byte("default-channels = [\"x\"]\n[mirrors]\n\"https://a.example\" = [\"https://m.example/a/\", \"https://other.example\"]\n\"https://a.example/deep\" = [\"https://deep.example\"]\n"))
	require.NoError(t, err)
	for url, want := range map[string]string{
		"https://a.example/ours": "https://m.example/a/ours", "https://a.example/deep/x": "https://deep.example/x", "https://a.example.org/x": "https://a.example.org/x",
		"https://b.example/x": "https://b.example/x",
	} {
		require.Equal(t, want, c.Resolve(url), url)
	}
	c.Mirror("https://b.example/x", "http://127.0.0.1:8080/x")
	require.Equal(t, "http://127.0.0.1:8080/x", c.Resolve("https://b.example/x"))
	text, err := c.Text()
	require.NoError(t, err)
	again, err := ParsePixiConfig("", text)
	require.NoError(t, err)
	require.Equal(t, c, again)

	for _, bad := range []string{"x", "mirrors = 1"} {
		_, err := ParsePixiConfig("config.toml", []byte(bad))
		require.ErrorContains(t, err, "the pixi configuration config.toml")
	}
	empty, err := ParsePixiConfig("", nil)
	require.NoError(t, err)
	text, err = empty.Text()
	require.NoError(t, err)
	require.Empty(t, text)
}
