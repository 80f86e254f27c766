package version

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRanges(t *testing.T) {
	type read func(string) (Range, error)
	for _, c := range []struct {
		read    read
		text    string
		in, out []string
	}{
		{CondaRange, "", []string{"0.1.0", "0.2.0rc1"}, nil},
		{CondaRange, "*", []string{"0.1.0", "0.2.0rc1"}, nil},
		{CondaRange, ">=0.1.6,<0.2", []string{"0.1.6", "0.1.99", "0.2rc1"}, []string{"0.1.5", "0.2", "0.2.0"}},
		{CondaRange, ">=1, <2", []string{"1"}, []string{"2.0"}},
		{CondaRange, "0.1.*", []string{"0.1.0", "0.1.7rc1", "0.1"}, []string{"0.2.0", "0.11.0"}},
		{CondaRange, "=0.1", []string{"0.1.0", "0.1.9"}, []string{"0.2.0", "0.10"}},
		{CondaRange, "=0.1.*", []string{"0.1.9"}, []string{"0.2.0"}},
		{CondaRange, "==0.1.*", []string{"0.1.9"}, []string{"0.2.0"}},
		{CondaRange, "0.1.6", []string{"0.1.6", "0.1.6.0"}, []string{"0.1.6.post1", "0.1.6rc1"}},
		{CondaRange, "==0.1.7|==0.1.6", []string{"0.1.6", "0.1.7"}, []string{"0.1.8"}},
		{CondaRange, "!=0.1.7", []string{"0.1.6"}, []string{"0.1.7"}},
		{CondaRange, "!=0.1.*,>=0.1", []string{"0.2"}, []string{"0.1.7"}},
		{CondaRange, "~=0.1.6", []string{"0.1.6", "0.1.9"}, []string{"0.2.0", "0.1.5"}},
		{CondaRange, ">0.1", []string{"0.1.0.post1", "0.1.1"}, []string{"0.1.0"}},
		{CondaRange, "<=0.1.*", []string{"0.1", "0.0.9"}, []string{"0.1.1"}},
		{PEP440Range, "", []string{"0.1.0", "0.2.0rc1"}, nil},
		{PEP440Range, "*", []string{"0.1.0"}, nil},
		{PEP440Range, ">=0.1.6,<0.2", []string{"0.1.6"}, []string{"0.2rc1", "0.1.7rc1", "0.2"}},
		{PEP440Range, ">=0.2.0rc1", []string{"0.2.0rc1", "0.2.0rc2", "0.2.0"}, []string{"0.2.0b1"}},
		{PEP440Range, ">= 0.1.6 , != 0.1.7", []string{"0.1.8"}, []string{"0.1.7"}},
		{PEP440Range, ">0.1", []string{"0.1.1"}, []string{"0.1.0.post1"}},
		{PEP440Range, "===0.1.0", []string{"0.1.0"}, []string{"0.1", "0.1.0.0"}},
		{PEP440Range, "~=0.1", []string{"0.1", "0.9"}, []string{"1.0"}},
		{PEP440Range, "==0.1.*", []string{"0.1.9"}, []string{"0.2"}},
		{PoetryRange, "^0.1.2", []string{"0.1.2", "0.1.9"}, []string{"0.2.0", "0.1.1"}},
		{PoetryRange, "^1.2", []string{"1.9"}, []string{"2.0"}},
		{PoetryRange, "^0.0.3", []string{"0.0.3"}, []string{"0.0.4"}},
		{PoetryRange, "^0", []string{"0.9"}, []string{"1"}},
		{PoetryRange, "~1.2", []string{"1.2.9"}, []string{"1.3"}},
		{PoetryRange, "~1", []string{"1.9"}, []string{"2"}},
		{PoetryRange, "=1.2 || ^2", []string{"1.2", "2.5"}, []string{"1.2.1"}},
		{PoetryRange, "1.2.*", []string{"1.2.1"}, []string{"1.3"}},
	} {
		r, err := c.read(c.text)
		require.NoError(t, err, c.text)
		require.Equal(t, c.text, r.String())
		for _, v := range c.in {
			require.True(t, r.Has(parse(t, v)), "%q must admit %s", c.text, v)
		}
		for _, v := range c.out {
			require.False(t, r.Has(parse(t, v)), "%q must not admit %s", c.text, v)
		}
	}
}

func TestRangesRefuse(t *testing.T) {
	for _, text := range []string{"(>=1|<2),!=3", "^1.*$", ">=1!2", "==0.1.7 pyh4616a5c_0", "=>1", ">=", "^0.1", "===1"} {
		_, err := CondaRange(text)
		require.ErrorContains(t, err, "is not a range of versions", text)
	}
	for _, text := range []string{"0.1", "=0.1", "^0.1", ">=v1", "~=1", "1|2"} {
		_, err := PEP440Range(text)
		require.Error(t, err, text)
	}
}

func TestRaise(t *testing.T) {
	for _, c := range []struct {
		read                func(string) (Range, error)
		text, version, want string // want "" for an error
	}{
		{CondaRange, ">=0.1.6", "0.2.0", ">=0.2.0"},
		{CondaRange, ">=0.1.6,<0.2", "0.2.0", ">=0.2.0,<0.3"},
		{CondaRange, ">=0.1.6, <1", "1.0.0", ">=1.0.0, <2"},
		{CondaRange, ">=0.1.6,<0.1.7", "0.2.0", ">=0.2.0,<0.2.1"},
		{CondaRange, ">=0.1.6,<0.7", "0.7.0", ""},
		{CondaRange, "0.1.*", "0.2.0", "0.2.*"},
		{CondaRange, "=0.1", "0.2.5", "=0.2"},
		{CondaRange, "~=0.1.6", "0.2", "~=0.2.0"},
		{CondaRange, "<0.2", "0.2.0", ""},
		{CondaRange, "=0.1|==0.0.1", "0.2.0", ""},
		{CondaRange, ">=0.1,!=0.2.0", "0.2.0", ""},
		{PEP440Range, ">= 0.1.6 , < 0.2", "0.2.0", ">= 0.2.0 , < 0.3"},
		{PEP440Range, ">=0.1.6", "0.2.0rc1", ">=0.2.0rc1"},
		{PEP440Range, ">=0.1.6,<0.2", "0.2.0rc1", ">=0.2.0rc1,<0.3"},
		{PEP440Range, "==0.1.*", "0.2.0", "==0.2.*"},
		{PEP440Range, "~=0.1.6", "0.2.0", "~=0.2.0"},
		{PoetryRange, "^0.1", "0.2.3", "^0.2"},
		{PoetryRange, "~1.2.1", "1.3.0", "~1.3.0"},
	} {
		r, err := c.read(c.text)
		require.NoError(t, err)
		require.False(t, r.Has(parse(t, c.version)) && c.want == "", "%s", c.text)
		got, err := r.Raise(parse(t, c.version))
		if c.want == "" {
			require.Error(t, err, c.text)
			continue
		}
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got)
	}
}

// FuzzRange checks that nothing panics, and that a raised range admits the version to which it was raised.
func FuzzRange(f *testing.F) {
	f.Add(">=0.1.6,<0.2", "0.2.0")
	f.Add("0.1.*|~=0.2", "1")
	f.Add("^0.1 || ~1", "1.2rc1")
	f.Fuzz(func(t *testing.T, text, version string) {
		v, err := Parse(version)
		if err != nil {
			return
		}
		for _, read := range []func(string) (Range, error){CondaRange, PEP440Range, PoetryRange} {
			r, err := read(text)
			if err != nil {
				continue
			}
			r.Has(v)
			if raised, err := r.Raise(v); err == nil {
				again, err := r.dialect.read(raised)
				require.NoError(t, err)
				require.True(t, again.Has(v), "%q %q", raised, v)
			}
		}
	})
}
