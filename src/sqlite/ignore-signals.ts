// Imported first, before anything slow is loaded. A terminal sends its signals to the whole process group; the parent alone
// decides what they mean, and ends this process with SIGKILL or by going away.
for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) process.on(signal, () => undefined);
