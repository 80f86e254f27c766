package columns

import (
	"fmt"
	"strings"
	"time"
)

// Took formats a duration for users: "<0.1s", "0.4s", "12s", "2m05s", "1h02m".
func Took(d time.Duration) string {
	switch {
	case d < 100*time.Millisecond:
		return "<0.1s"
	case d < 10*time.Second-50*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	switch whole := d.Round(time.Second); {
	case whole < time.Minute:
		return fmt.Sprintf("%ds", int(whole.Seconds()))
	case whole < time.Hour:
		return fmt.Sprintf("%dm%02ds", int(whole.Minutes()), int(whole.Seconds())%60)
	default:
		return fmt.Sprintf("%dh%02dm", int(whole.Hours()), int(whole.Minutes())%60)
	}
}

// Size formats a number of bytes for users: "512 B", "9.5 kB", "48 kB", "12 MB", "1.6 GB".
func Size(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	of, unit := float64(n)/1000, "kB"
	for _, larger := range []string{"MB", "GB", "TB"} {
		if of >= 999.5 {
			of, unit = of/1000, larger
		}
	}
	if of < 9.95 {
		return fmt.Sprintf("%.1f %s", of, unit)
	}
	return fmt.Sprintf("%.0f %s", of, unit)
}

// Digest abbreviates a hexadecimal sha256 to 12 digits, like a commit hash. A prefix "sha256:" is kept.
func Digest(sha256 string) string {
	hex, named := strings.CutPrefix(sha256, "sha256:")
	hex = hex[:min(len(hex), 12)]
	if named {
		return "sha256:" + hex
	}
	return hex
}
