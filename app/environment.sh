#!/bin/sh
# environment.sh DIR ARCH installs the environment of the manifest in DIR, for one of Docker's architectures, below /out/ARCH,
# at the path that it has in the image. The script runs when the image is built, on the builder's own platform, and runs
# no program of another platform. The first call is for the builder's own architecture. (Each image has a copy of this file,
# because a build sees only its own folder.)
set -eu
dir=$1 arch=$2
out=/out/$arch$dir
environment=.pixi/envs/default
cd "$dir"

if [ "$arch" = "$BUILDARCH" ]; then
	native=$dir
else
	case $arch in
	amd64) export PIXI_OVERRIDE_PLATFORM=linux-64 ;;
	arm64) export PIXI_OVERRIDE_PLATFORM=linux-aarch64 ;;
	*) echo "no conda platform is known for $arch" >&2 && exit 1 ;;
	esac
	native=/out/$BUILDARCH$dir
fi
if [ -s /run/secrets/RATTLER_AUTH_FILE ]; then export RATTLER_AUTH_FILE=/run/secrets/RATTLER_AUTH_FILE; fi

# A lock file beside the manifest decides. If there is none, the first call makes a lock file, which the others keep.
if [ -e pixi.lock ]; then pixi install --locked; else pixi install; fi

# Byte code saves seconds at every start, and is the same on every platform. The builder's own Python makes it, and replaces
# byte code in packages, which depends on the time of its source. If another platform has the same source, the byte code is
# copied. The bytes depend on what a process has compiled before, so each process gets the same files in the same order.
python=$native/$environment/bin/python
lib=$environment/$("$python" -c 'import sys; print("lib/python%d.%d" % sys.version_info[:2])')
if [ -d "$lib" ]; then # another platform may have another Python
	find "$dir/$lib" -name '*.py' -print0 | LC_ALL=C sort -z |
		PYTHONHASHSEED=0 xargs -0 -r -P "$(nproc)" -n 300 "$python" -W ignore -c '
import compileall, filecmp, importlib.util, os, py_compile, shutil, sys

here, native, *sources = sys.argv[1:]
for source in sources:
    twin = native + source[len(here) :]
    made, code = map(importlib.util.cache_from_source, (twin, source))
    if here != native and os.path.exists(made) and filecmp.cmp(source, twin, shallow=False):
        os.makedirs(os.path.dirname(code), exist_ok=True)
        shutil.copyfile(made, code)
    else:  # files that are not Python 3 are skipped
        compileall.compile_file(source, force=True, quiet=2, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
' "$dir/$lib" "$native/$lib"
fi

# The entry point activates the environment, and then becomes the command. pixi prints its variables in no order, and the
# PATH of the build: here they are sorted, so that the same sources give the same bytes, and the PATH becomes the image's.
pixi shell-hook --as-is --no-completions --change-ps1 false --shell bash >/tmp/hook
mkdir -p "$out"
{
	echo '#!/bin/bash'
	grep '^export PIXI_PROJECT_' /tmp/hook | sort
	sed -e '/^export PIXI_/d' -e "s|^export PATH=.*|export PATH=\"$dir/$environment/bin:\$PATH\"|" /tmp/hook
	echo 'exec "$@"'
} >"$out/entrypoint"
chmod 755 "$out/entrypoint"
cp pixi.toml pixi.lock "$out"
mv .pixi "$out/.pixi"
# Every user may read the files (conda-meta is only its owner's), and the same packages give the same bytes at any time of
# installation.
chmod -R u+rwX,go+rX,go-w "/out/$arch"
find "/out/$arch" -exec touch --no-dereference --date=@315532800 {} +
