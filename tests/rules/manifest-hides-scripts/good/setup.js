console.log('thank you');
