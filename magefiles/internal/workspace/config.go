package workspace

import (
	"slices"

	"github.com/foopack/foopack/magefiles/internal/tomledit"
)

// readConfig reads [tool.release], which pixi ignores, from the root manifest. channel is the default channel.
func (s *source) readConfig(channel string) Config {
	c := Config{Channel: channel, Versioning: Lockstep, Publish: PublishCI, Remote: "origin"}
	n := s.doc.Root.Get("tool", "release")
	if n == nil || !s.want(n, tomledit.Table) {
		return c
	}
	c.Pos = s.pos(n)
	fields := map[string]*string{
		"channel": &c.Channel, "versioning": &c.Versioning, "publish": &c.Publish, "remote": &c.Remote,
	}
	keys := []string{"branch", "pypi"}
	for k := range fields {
		keys = append(keys, k)
	}
	for _, e := range n.Children {
		if e.Key == "branch" {
			s.readBranches(e, &c)
			continue
		}
		if e.Key == "pypi" {
			s.readPyPI(e, &c)
			continue
		}
		field, ok := fields[e.Key]
		if !ok {
			s.failKey(e, "[tool.release]", keys)
			continue
		}
		if *field = s.str(e); *field == "" {
			s.fail(e, "give it a value, or remove it", "%s is empty", e.Key)
		}
	}
	s.oneOf(n.Get("versioning"), Lockstep, Independent)
	s.oneOf(n.Get("publish"), PublishCI, PublishHere)
	return c
}

func (s *source) oneOf(n *tomledit.Node, allowed ...string) {
	if n.Is(tomledit.String) && !slices.Contains(allowed, n.Text()) {
		s.fail(n, "correct it: "+didYouMean(n.Text(), allowed)+known(allowed)+".", "%s cannot be %q", n.Key, n.Text())
	}
}
