package available

import (
	"bytes"
	"maps"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/foopack/foopack/magefiles/internal/operr"
)

// PixiConfig is the content of a pixi config.toml. Images need only the channel mirrors. All other settings are preserved.
type PixiConfig struct{ all map[string]any }

// ParsePixiConfig parses a configuration. A nil text is parsed as an empty file. The name is used in errors.
func ParsePixiConfig(name string, text []byte) (*PixiConfig, error) {
	c := &PixiConfig{all: map[string]any{}}
	if err := toml.Unmarshal(text, &c.all); err != nil {
		return nil, operr.New("correct this file", "reading the pixi configuration %s: %w", name, err)
	}
	if _, ok := c.all["mirrors"].(map[string]any); !ok && c.all["mirrors"] != nil {
		return nil, operr.New("write `mirrors` as a table: \"URL\" = [\"URL of the mirror\"]", "the pixi configuration %s has `mirrors`, but not as a table", name)
	}
	return c, nil
}

// Mirror sets the only mirror of an address, replacing any that it already had.
func (c *PixiConfig) Mirror(from, to string) {
	mirrors, _ := c.all["mirrors"].(map[string]any)
	mirrors = maps.Clone(mirrors)
	if mirrors == nil {
		mirrors = map[string]any{}
	}
	mirrors[from] = []any{to}
	c.all["mirrors"] = mirrors
}

// Resolve returns the URL from which pixi reads the given URL. It uses the first mirror of the longest matching prefix.
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

// Text returns the configuration as TOML.
func (c *PixiConfig) Text() ([]byte, error) {
	var b bytes.Buffer
	err := toml.NewEncoder(&b).Encode(c.all)
	return b.Bytes(), err
}
