"""The model families, one file each: encode, prepare, one denoising step for a mixed batch, decode."""
