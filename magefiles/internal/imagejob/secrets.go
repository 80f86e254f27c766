package imagejob

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/foopack/foopack/magefiles/internal/atomicfile"
	"github.com/foopack/foopack/magefiles/internal/available"
	"github.com/foopack/foopack/magefiles/internal/channel/prefixdev"
	"github.com/foopack/foopack/magefiles/internal/operr"
	"github.com/foopack/foopack/magefiles/internal/workspace"
	"github.com/foopack/foopack/magefiles/internal/workspace/manifest"
)

// readPixiConfig returns pixi's configuration for image builds, which is read from PIXI_CONFIG. If PREFIX_SERVER_URL is set, its copy of our
// channel becomes a mirror for the channel's public URLs in the manifest.
func (m *Maker) readPixiConfig(d *workspace.Downstream) (*available.PixiConfig, error) {
	var text []byte
	file := m.PixiConfig
	if file != "" {
		var err error
		if text, err = os.ReadFile(file); err != nil {
			return nil, operr.New("correct PIXI_CONFIG, or leave it unset", "reading the pixi configuration: %w", err)
		}
	}
	c, err := available.ParsePixiConfig(file, text)
	if err != nil || m.Server == "" {
		return c, err
	}
	env, err := d.Manifest.Resolve(manifest.DefaultEnvironment, "")
	if err != nil {
		return nil, err
	}
	for _, from := range env.Channels {
		u, err := url.Parse(from)
		if err == nil && prefixdev.Public(u.Host) && path.Base(u.Path) == m.Channel {
			c.Mirror(from, strings.TrimSuffix(m.Server, "/")+"/"+m.Channel)
		}
	}
	return c, nil
}

// writeSecrets writes the secrets for build steps to files, and returns their paths. The configuration file is in the image's folder. Its name is
// derived from its content, because another process may be building there with a different configuration.
func writeSecrets(c *available.PixiConfig, authFile, dir string) (map[string]string, error) {
	secrets := map[string]string{}
	text, err := c.Text()
	if err != nil {
		return nil, err
	}
	if len(text) > 0 {
		file := filepath.Join(dir, fmt.Sprintf("config-%.12x.toml", sha256.Sum256(text)))
		if err := atomicfile.WriteFile(file, text, 0o600); err != nil {
			return nil, err
		}
		secrets["PIXI_CONFIG"] = file
	}
	if file := authFile; file != "" {
		if _, err := os.Stat(file); err != nil {
			return nil, operr.New("correct RATTLER_AUTH_FILE, or leave it unset", "reading the credentials for image builds: %w", err)
		}
		if secrets["RATTLER_AUTH_FILE"], err = filepath.Abs(file); err != nil {
			return nil, err
		}
	}
	return secrets, nil
}

// checkPackages checks that the channels of a downstream's environment, or their mirrors, have its packages. It uses the credentials that the build
// will get.
func checkPackages(ctx context.Context, d *workspace.Downstream, config *available.PixiConfig, authFile string, platforms []string, lock []byte) (string, error) {
	open := func(ctx context.Context, name string) (available.Index, error) {
		return ToRead(ctx, config.Resolve(ChannelURL(name)), authFile)
	}
	return available.Check(ctx, d, open, platforms, lock)
}
