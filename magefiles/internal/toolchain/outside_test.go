package toolchain_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/foopack/foopack/magefiles/internal/toolchain"
)

func TestWithoutOutside(t *testing.T) {
	kept := []string{
		"HOME=/h", "PATH=/bin", "UV_DEFAULT_INDEX=https://mirror", "UV_CACHE_DIR=/c", "PIP_INDEX_URL=https://mirror", "HTTPS_PROXY=p", "SSL_CERT_FILE=f",
		"UV_PYTHON_DOWNLOADS=never", "CFLAGS=-O2", "SETUPTOOLSX=1", "MY_SETUPTOOLS_SCM_PRETEND_VERSION=1", "UV_CONFIG_FILE=/uv.toml",
	}
	env := append([]string{
		"SETUPTOOLS_SCM_PRETEND_VERSION=1", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_ACME_CORE=1", "SETUPTOOLS_SCM_OVERRIDES_FOR_ACME={}", "SETUPTOOLS_SCM_PRETEND_METADATA=x",
		"VCS_VERSIONING_PRETEND_VERSION=1", "PDM_BUILD_SCM_VERSION=1", "PBR_VERSION=1", "POETRY_DYNAMIC_VERSIONING_BYPASS=1", "UV_DYNAMIC_VERSIONING_BYPASS=1",
		"SOURCE_DATE_EPOCH=1", "PYTHONPATH=/x", "HATCH_BUILD_NO_HOOKS=true", "DIST_EXTRA_CONFIG=/x.cfg", "SETUPTOOLS_USE_DISTUTILS=stdlib", "UV_NO_BUILD_ISOLATION=1", "PIP_TARGET=/t",
	}, kept...)
	require.Equal(t, kept, toolchain.WithoutOutside(env))
}

func TestSetsVersion(t *testing.T) {
	for _, name := range []string{"SETUPTOOLS_SCM_PRETEND_VERSION", "SETUPTOOLS_SCM_PRETEND_VERSION_FOR_X", "VCS_VERSIONING_OVERRIDES_FOR_X", "PBR_VERSION", "PDM_BUILD_SCM_VERSION"} {
		require.True(t, toolchain.SetsVersion(name), name)
	}
	for _, name := range []string{"SOURCE_DATE_EPOCH", "PYTHONPATH", "HATCH_BUILD_CLEAN", "PBR_REQUIREMENTS_FILES", "VERSION", ""} {
		require.False(t, toolchain.SetsVersion(name), name)
	}
}
