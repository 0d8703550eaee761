#include "parse/binfmt.h"

#define BIT(f) (UINT64_C(1) << QN_FORMAT_##f)
#define TEXT   (BIT(ASCII) | BIT(UTF8) | BIT(UTF16) | BIT(LATIN1) | BIT(SCRIPT))
#define NATIVE (BIT(ELF) | BIT(PE) | BIT(MACHO) | BIT(MACHO_FAT))
#define IMAGE \
        (BIT(PNG) | BIT(JPEG) | BIT(GIF) | BIT(WEBP) | BIT(ICO) | BIT(BMP) | BIT(TIFF) | BIT(AVIF))
#define FONT   (BIT(WOFF) | BIT(WOFF2) | BIT(TTF) | BIT(OTF) | BIT(EOT))
#define MEDIA  (BIT(MP3) | BIT(MP4) | BIT(WAV) | BIT(AVI) | BIT(OGG) | BIT(FLAC) | BIT(WEBM))
#define ZIPPED (BIT(ZIP) | BIT(JAR))
#define PACKED                                                                                \
        (BIT(GZIP) | BIT(BZIP2) | BIT(XZ) | BIT(ZSTD) | BIT(LZ4) | BIT(TAR) | BIT(SEVENZIP) | \
         BIT(RAR) | ZIPPED)

/* What a name promises.  Relatives are let pass: people rename a JPEG to .png, and browsers do not mind. */
static const struct {
        const char *ext;
        uint64_t may;
} table[] = {
        /* text */
        { "js", TEXT },
        { "cjs", TEXT },
        { "mjs", TEXT },
        { "jsx", TEXT },
        { "tsx", TEXT },
        { "cts", TEXT },
        { "mts", TEXT },
        { "json", TEXT },
        { "json5", TEXT },
        { "map", TEXT },
        { "md", TEXT },
        { "markdown", TEXT },
        { "txt", TEXT },
        { "html", TEXT },
        { "htm", TEXT },
        { "css", TEXT },
        { "scss", TEXT },
        { "sass", TEXT },
        { "less", TEXT },
        { "yml", TEXT },
        { "yaml", TEXT },
        { "toml", TEXT },
        { "xml", TEXT },
        { "svg", TEXT | BIT(GZIP) },
        { "vue", TEXT },
        { "svelte", TEXT },
        { "astro", TEXT },
        { "flow", TEXT },
        { "coffee", TEXT },
        { "sh", TEXT },
        { "bash", TEXT },
        { "zsh", TEXT },
        { "ps1", TEXT },
        { "bat", TEXT },
        { "cmd", TEXT },
        { "py", TEXT },
        { "rb", TEXT },
        { "pl", TEXT },
        { "php", TEXT },
        { "c", TEXT },
        { "h", TEXT },
        { "cc", TEXT },
        { "cpp", TEXT },
        { "hpp", TEXT },
        { "rs", TEXT },
        { "go", TEXT },
        { "java", TEXT },
        { "gyp", TEXT },
        { "gypi", TEXT },
        { "lock", TEXT },
        { "csv", TEXT },
        { "graphql", TEXT },
        { "proto", TEXT },
        { "wat", TEXT },
        { "ts",
          TEXT | BIT(BINARY) }, /* TypeScript, or an MPEG transport stream, which has no magic of its own */
        { "snap", TEXT },
        { "tmpl", TEXT },
        { "hbs", TEXT },
        { "ejs", TEXT },
        { "pug", TEXT },
        /* executable */
        { "node", NATIVE },
        { "so", NATIVE | TEXT },
        { "dylib", NATIVE },
        { "dll", NATIVE },
        { "exe", NATIVE },
        { "wasm", BIT(WASM) },
        { "class", BIT(JAVA_CLASS) },
        { "jar", ZIPPED },
        { "pyc", BIT(PYC) },
        { "jsc", BIT(V8_BYTECODE) },
        { "dex", BIT(DEX) },
        /* archives */
        { "zip", ZIPPED },
        { "gz", PACKED },
        { "tgz", PACKED },
        { "tar", PACKED },
        { "bz2", PACKED },
        { "xz", PACKED },
        { "zst", PACKED },
        { "7z", PACKED },
        { "rar", PACKED },
        /* images, fonts, media, documents */
        { "png", IMAGE },
        { "jpg", IMAGE },
        { "jpeg", IMAGE },
        { "gif", IMAGE },
        { "webp", IMAGE },
        { "ico", IMAGE },
        { "bmp", IMAGE },
        { "tif", IMAGE },
        { "tiff", IMAGE },
        { "avif", IMAGE },
        { "woff", FONT },
        { "woff2", FONT },
        { "ttf", FONT },
        { "otf", FONT },
        { "eot", FONT },
        { "mp3", MEDIA },
        { "mp4", MEDIA },
        { "m4a", MEDIA },
        { "wav", MEDIA },
        { "ogg", MEDIA },
        { "webm", MEDIA },
        { "flac", MEDIA },
        { "avi", MEDIA },
        { "mov", MEDIA },
        { "pdf", BIT(PDF) },
        { "sqlite", BIT(SQLITE) },
        { "sqlite3", BIT(SQLITE) },
};

static const uint64_t *promised(struct qn_str path)
{
        struct qn_str name = qn_str_base(path);
        ptrdiff_t dot = qn_str_rchr(name, '.');

        /* ".npmrc" has no extension. */
        if (dot <= 0)
                return NULL;
        name = qn_str_skip(name, (size_t)dot + 1);
        for (size_t i = 0; i < QN_ARRAY_SIZE(table); i++)
                if (qn_str_ieq(name, qn_str_c(table[i].ext)))
                        return &table[i].may;
        return NULL;
}

enum qn_misfit qn_format_misfit(struct qn_str path, enum qn_format f)
{
        const uint64_t *may = promised(path);

        if (!may || f == QN_FORMAT_EMPTY || (*may >> f & 1))
                return QN_MISFIT_NONE;
        if (qn_format_class(f) == QN_CLASS_EXECUTABLE)
                return QN_MISFIT_EXECUTABLE;
        if (qn_format_is_text(f))
                return QN_MISFIT_TEXT;
        return *may & TEXT ? QN_MISFIT_BINARY : QN_MISFIT_OTHER;
}

const char *qn_misfit_name(enum qn_misfit m)
{
        static const char *const names[QN_MISFIT_MAX] = {
                [QN_MISFIT_NONE] = "none",   [QN_MISFIT_EXECUTABLE] = "executable",
                [QN_MISFIT_TEXT] = "text",   [QN_MISFIT_BINARY] = "binary",
                [QN_MISFIT_OTHER] = "other",
        };

        return names[m];
}
