package available

import (
	"bytes"
	"maps"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// PixiConfig is a configuration of pixi, a config.toml, as far as it matters to images: where channels are mirrored. The rest
// is kept.
type PixiConfig struct{ all map[string]any }

// ParsePixiConfig reads one; nil text is an empty one. The name is for errors.
func ParsePixiConfig(name string, text []byte) (*PixiConfig, error) {
	c := &PixiConfig{all: map[string]any{}}
	if err := toml.Unmarshal(text, &c.all); err != nil {
		return nil, operr.New("correct it", "reading the pixi configuration %s: %w", name, err)
	}
	if _, ok := c.all["mirrors"].(map[string]any); !ok && c.all["mirrors"] != nil {
		return nil, operr.New("write [mirrors] with \"URL\" = [\"URL\"]", "the pixi configuration %s: mirrors is no table", name)
	}
	return c, nil
}

// Mirror lets another address stand for one, before those that do so already.
func (c *PixiConfig) Mirror(from, to string) {
	mirrors, _ := c.all["mirrors"].(map[string]any)
	mirrors = maps.Clone(mirrors)
	if mirrors == nil {
		mirrors = map[string]any{}
	}
	mirrors[from] = []any{to}
	c.all["mirrors"] = mirrors
}

// Resolve is the address that is asked for what has the given one: that of the longest prefix that has a mirror, as pixi
// takes it.
func (c *PixiConfig) Resolve(url string) string {
	mirrors, _ := c.all["mirrors"].(map[string]any)
	best := ""
	for from := range mirrors {
		below := strings.TrimSuffix(from, "/")
		if (url == below || strings.HasPrefix(url, below+"/")) && len(from) > len(best) {
			best = from
		}
	}
	list, _ := mirrors[best].([]any)
	if best == "" || len(list) == 0 {
		return url
	}
	to, ok := list[0].(string)
	if !ok {
		return url
	}
	return strings.TrimSuffix(to, "/") + strings.TrimPrefix(url, strings.TrimSuffix(best, "/"))
}

// Text is the configuration as TOML.
func (c *PixiConfig) Text() ([]byte, error) {
	var b bytes.Buffer
	err := toml.NewEncoder(&b).Encode(c.all)
	return b.Bytes(), err
}
